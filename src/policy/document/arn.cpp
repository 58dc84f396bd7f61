// SPDX-License-Identifier: Apache-2.0
#include "policy/document/arn.h"

#include "base/text/ascii.h"

namespace integreat::policy {

std::optional<Arn> split_arn(std::string_view text) {
    if (text.substr(0, 4) != "arn:") return std::nullopt;
    text.remove_prefix(4);
    Arn arn;
    for (auto* part : {&arn.partition, &arn.service, &arn.region, &arn.account}) {
        auto colon = text.find(':');
        if (colon == std::string_view::npos) return std::nullopt;
        *part = text.substr(0, colon);
        text.remove_prefix(colon + 1);
    }
    arn.resource = text;
    return arn;
}

std::string_view last_path_segment(std::string_view resource) {
    return resource.substr(resource.rfind('/') + 1);
}

bool is_account_id(std::string_view text) {
    return text.size() == 12 && is_digits(text);
}

}  // namespace integreat::policy
