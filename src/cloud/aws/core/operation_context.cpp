// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/core/operation_context.h"

#include <algorithm>

namespace integreat::cloud {

std::optional<std::string_view> OperationContext::parameter(std::string_view name) const {
    auto entry =
        std::ranges::find(query, name, [](const auto& pair) { return std::string_view(pair.first); });
    if (entry == query.end()) return std::nullopt;
    return entry->second;
}

}  // namespace integreat::cloud
