// SPDX-License-Identifier: Apache-2.0
// Amazon Resource Names: arn:partition:service:region:account:resource (AWS general reference).
#pragma once

#include <optional>
#include <string_view>

namespace integreat::policy {

struct Arn {
    std::string_view partition, service, region, account, resource;
};

// Splits an ARN into views of `text`. Returns nullopt if it does not have six parts; their content is not
// checked.
std::optional<Arn> split_arn(std::string_view text);

// Returns the last segment: "role/path/name" → "name".
std::string_view last_path_segment(std::string_view resource);

// Returns whether the text has twelve digits.
bool is_account_id(std::string_view text);

}  // namespace integreat::policy
