// SPDX-License-Identifier: Apache-2.0
#include "base/text/utf8.h"

namespace integreat {

namespace {

struct Sequence {
    std::size_t length = 0;  // 0 if the byte cannot start a sequence.
    unsigned char second_min = 0x80;
    unsigned char second_max = 0xBF;
};

// Table 3-7 of the Unicode standard: the ranges of the second byte exclude overlong forms and surrogates.
Sequence sequence_starting_with(unsigned char first) {
    if (first < 0x80) return {1};
    if (first < 0xC2) return {};
    if (first < 0xE0) return {2};
    if (first == 0xE0) return {3, 0xA0, 0xBF};
    if (first == 0xED) return {3, 0x80, 0x9F};
    if (first < 0xF0) return {3};
    if (first == 0xF0) return {4, 0x90, 0xBF};
    if (first < 0xF4) return {4};
    if (first == 0xF4) return {4, 0x80, 0x8F};
    return {};
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
    auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    for (std::size_t at = 0; at < text.size();) {
        Sequence sequence = sequence_starting_with(byte(at));
        if (sequence.length == 0 || sequence.length > text.size() - at) return at;
        for (std::size_t i = 1; i < sequence.length; ++i) {
            unsigned char min = i == 1 ? sequence.second_min : 0x80;
            unsigned char max = i == 1 ? sequence.second_max : 0xBF;
            if (byte(at + i) < min || byte(at + i) > max) return at;
        }
        at += sequence.length;
    }
    return std::nullopt;
}

}  // namespace integreat
