// SPDX-License-Identifier: Apache-2.0
// Converts a description (describe.h) to YAML.
#pragma once

#include <string>
#include <string_view>

#include "json/binding/describe.h"

namespace integreat::json {

// Returns every value in force. Of secrets it shows only whether they are set.
std::string to_yaml(const Field& root);

// Returns `text` as a YAML scalar, in quotes where necessary, that parses as the same text.
std::string to_yaml_scalar(std::string_view text);

}  // namespace integreat::json
