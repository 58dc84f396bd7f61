// SPDX-License-Identifier: Apache-2.0
// Converts a description (describe.h) to the Markdown tables of the manual.
#pragma once

#include <string>
#include <string_view>

#include "json/binding/describe.h"

namespace integreat::json {

// Returns one table per group. `path` is the heading of the root, of level two.
std::string to_markdown(const Field& root, std::string_view path);

}  // namespace integreat::json
