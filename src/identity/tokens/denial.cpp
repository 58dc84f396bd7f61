// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/denial.h"

namespace integreat::identity {

namespace {

// The length of the UTF-8 character at the front, 0 if there is none that a log should show.
std::size_t shown_length(std::string_view text) {
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

std::string as_fact(std::string_view sent) {
    constexpr std::size_t shown_max = 128;
    std::string fact;
    while (!sent.empty() && fact.size() < shown_max) {
        auto length = shown_length(sent);
        fact += length ? sent.substr(0, length) : std::string_view("?");
        sent.remove_prefix(length ? length : 1);
    }
    if (!sent.empty()) fact += "...";
    return fact;
}

}  // namespace integreat::identity
