// SPDX-License-Identifier: Apache-2.0
// arn:partition:service:region:account:resource ("Amazon Resource Names" of the AWS general reference).
#pragma once

#include <optional>
#include <string_view>

namespace integreat::policy {

struct Arn {
    std::string_view partition, service, region, account, resource;
};

// Views into `text`, or nothing if it has not the six parts. Nothing is checked but the shape.
std::optional<Arn> split_arn(std::string_view text);

// "role/path/name" → "name"
std::string_view last_step(std::string_view resource);

// Twelve digits.
bool is_account_id(std::string_view text);

}  // namespace integreat::policy
