// SPDX-License-Identifier: Apache-2.0
// Locale-independent functions on ASCII text. Bytes outside ASCII are left unchanged.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace integreat {

inline constexpr std::string_view hex_digits = "0123456789abcdef";
inline constexpr std::string_view upper_hex_digits = "0123456789ABCDEF";

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
constexpr bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
constexpr bool is_alpha(char c) {
    return is_lower(c) || is_upper(c);
}
constexpr bool is_alnum(char c) {
    return is_alpha(c) || is_digit(c);
}

constexpr char to_lower(char c) {
    return is_upper(c) ? static_cast<char>(c | 0x20) : c;
}
constexpr char to_upper(char c) {
    return is_lower(c) ? static_cast<char>(c & ~0x20) : c;
}
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

// Compare without regard to case.
bool iequals(std::string_view left, std::string_view right);
bool istarts_with(std::string_view text, std::string_view prefix);

// Returns whether the text has only decimal digits; false if it is empty.
bool is_digits(std::string_view text);

// Appends a number with the digits 0-9a-z of `base`.
void append_number(std::string& text, std::uint64_t number, int base = 10);

// Returns the text without the leading and trailing characters in `characters`: by default the optional
// whitespace of HTTP (RFC 9110 section 5.6.3).
std::string_view trim(std::string_view text, std::string_view characters = " \t");

// Returns the parts between separators; a text without one, also an empty text, is one part.
std::vector<std::string_view> split(std::string_view text, char separator);

// Returns the elements of a range of strings with `separator` between them.
template <class Range>
std::string join(const Range& range, std::string_view separator) {
    std::string text;
    bool first = true;
    for (const auto& element : range) {
        if (!first) text += separator;
        first = false;
        text += element;
    }
    return text;
}

}  // namespace integreat
