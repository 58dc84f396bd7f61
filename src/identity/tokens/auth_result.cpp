// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/auth_result.h"

namespace integreat::identity {

namespace {

// Returns the length of the UTF-8 character at the front, 0 if it is invalid or a control character.
std::size_t printable_length(std::string_view text) {
    auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
    std::size_t length = lead >= 0xC3 && lead < 0xE0   ? 2
                         : lead >= 0xE0 && lead < 0xF0 ? 3
                         : lead >= 0xF0 && lead < 0xF5 ? 4
                                                       : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
    }
    return length;
}

}  // namespace

std::string sanitize_for_log(std::string_view text) {
    constexpr std::size_t max_bytes = 128;
    std::string sanitized;
    while (!text.empty() && sanitized.size() < max_bytes) {
        auto length = printable_length(text);
        sanitized += length ? text.substr(0, length) : std::string_view("?");
        text.remove_prefix(length ? length : 1);
    }
    if (!text.empty()) sanitized += "...";
    return sanitized;
}

}  // namespace integreat::identity
