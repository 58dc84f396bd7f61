// SPDX-License-Identifier: Apache-2.0
#include "config/checks/collection_check.h"

#include "base/text/closest_match.h"
#include "base/text/find_by_name.h"
#include "json/document/node.h"

namespace integreat::config {

void CollectionCheck::report(std::string_view relative_pointer, std::string message) const {
    config::report(document, pointer + std::string(relative_pointer), std::move(message));
}

bool check_field_names(const CollectionCheck& check, const std::vector<std::string>& names,
                       const std::string& relative_pointer) {
    bool all = !contains(names, "");
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i].empty() || find_field(check.collection, names[i])) continue;
        all = false;
        check.report(json::append_pointer(relative_pointer, i),
                     "unknown field " + json::quoted(names[i]) +
                         did_you_mean(names[i], field_names(check.collection)));
    }
    return all;
}

}  // namespace integreat::config
