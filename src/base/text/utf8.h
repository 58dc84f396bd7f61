// SPDX-License-Identifier: Apache-2.0
// RFC 3629, strictly: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace integreat {

// The offset of the first byte that is not part of a well-formed sequence.
std::optional<std::size_t> invalid_utf8_at(std::string_view text);

}  // namespace integreat
