// SPDX-License-Identifier: Apache-2.0
#include "base/text/ascii.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace integreat {

namespace {

std::string map(std::string_view text, char (*convert)(char)) {
    std::string converted(text);
    std::transform(converted.begin(), converted.end(), converted.begin(), convert);
    return converted;
}

}  // namespace

std::string to_lower(std::string_view text) {
    return map(text, [](char c) { return to_lower(c); });
}

std::string to_upper(std::string_view text) {
    return map(text, [](char c) { return to_upper(c); });
}

bool iequals(std::string_view left, std::string_view right) {
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (left[i] != right[i] && to_lower(left[i]) != to_lower(right[i])) return false;
    }
    return true;
}

bool istarts_with(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

bool is_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

void append_number(std::string& text, std::uint64_t number, int base) {
    std::array<char, 64> digits;
    text.append(digits.data(), std::to_chars(digits.begin(), digits.end(), number, base).ptr);
}

std::string_view trim(std::string_view text, std::string_view characters) {
    auto begin = text.find_first_not_of(characters);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(characters) + 1 - begin);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

}  // namespace integreat
