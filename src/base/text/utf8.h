// SPDX-License-Identifier: Apache-2.0
// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace integreat {

// Returns the offset of the first byte that is not part of a well-formed sequence, or nullopt.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

}  // namespace integreat
