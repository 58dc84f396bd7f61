// SPDX-License-Identifier: Apache-2.0
#include "policy/document/wildcard.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace integreat::policy {

namespace {

// A code point, or one of the two wildcards, or a byte that is no UTF-8.
constexpr char32_t run_mark = 0x110001;
constexpr char32_t one_mark = 0x110002;
constexpr char32_t stray_byte = 0x110100;

template <class Char>
inline constexpr Char run_of = Char(any_run);
template <>
inline constexpr char32_t run_of<char32_t> = run_mark;
template <class Char>
inline constexpr Char one_of = Char(any_one);
template <>
inline constexpr char32_t one_of<char32_t> = one_mark;

std::u32string code_points(std::string_view text, bool is_pattern) {
    std::u32string points;
    points.reserve(text.size());
    while (!text.empty()) {
        auto first = static_cast<unsigned char>(text[0]);
        std::size_t length = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        bool whole = length != 0 && length <= text.size() && first < 0xF8;
        for (std::size_t i = 1; whole && i < length; ++i)
            whole = (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
        if (!whole) {
            bool run = is_pattern && text[0] == any_run;
            bool one = is_pattern && text[0] == any_one;
            points += run ? run_mark : one ? one_mark : stray_byte + first;
            text.remove_prefix(1);
            continue;
        }
        char32_t point = length == 1 ? first : first & (0xFFu >> (length + 1));
        for (std::size_t i = 1; i < length; ++i)
            point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
        points += point;
        text.remove_prefix(length);
    }
    return points;
}

template <class Char>
bool equal_here(std::basic_string_view<Char> chunk, std::basic_string_view<Char> text) {
    for (std::size_t i = 0; i < chunk.size(); ++i) {
        if (chunk[i] != text[i] && chunk[i] != one_of<Char>) return false;
    }
    return true;
}

// Bitap (Baeza-Yates and Gonnet): bit i of the state says that the first i + 1 characters of the chunk match
// the text that ends here. All positions advance in one step, so nothing is ever tried twice.
template <class Char>
std::size_t find_with_ones(std::basic_string_view<Char> text, std::basic_string_view<Char> chunk) {
    const std::size_t words = (chunk.size() + 63) / 64;
    std::basic_string<Char> alphabet(chunk);
    std::sort(alphabet.begin(), alphabet.end());
    alphabet.erase(std::unique(alphabet.begin(), alphabet.end()), alphabet.end());
    // The last row is for characters that the chunk does not name.
    std::vector<std::uint64_t> masks((alphabet.size() + 1) * words, 0);
    auto row_of = [&](Char c) {
        auto found = std::lower_bound(alphabet.begin(), alphabet.end(), c);
        bool known = found != alphabet.end() && *found == c;
        return known ? static_cast<std::size_t>(found - alphabet.begin()) : alphabet.size();
    };
    for (std::size_t i = 0; i < chunk.size(); ++i) {
        bool any = chunk[i] == one_of<Char>;
        auto row = any ? 0 : row_of(chunk[i]);
        for (auto end = any ? alphabet.size() + 1 : row + 1; row < end; ++row)
            masks[row * words + i / 64] |= std::uint64_t(1) << (i % 64);
    }
    std::vector<std::uint64_t> state(words, 0);
    const std::uint64_t complete = std::uint64_t(1) << ((chunk.size() - 1) % 64);
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto row = row_of(text[at]);
        std::uint64_t carry = 1;
        for (std::size_t word = 0; word < words; ++word) {
            std::uint64_t next = state[word] >> 63;
            state[word] = (state[word] << 1 | carry) & masks[row * words + word];
            carry = next;
        }
        if (state[words - 1] & complete) return at + 1 - chunk.size();
    }
    return std::basic_string_view<Char>::npos;
}

template <class Char>
bool match(std::basic_string_view<Char> pattern, std::basic_string_view<Char> text) {
    constexpr auto npos = std::basic_string_view<Char>::npos;
    auto first = pattern.find(run_of<Char>);
    if (first == npos) return pattern.size() == text.size() && equal_here(pattern, text);
    auto last = pattern.rfind(run_of<Char>);
    auto tail = pattern.substr(last + 1);
    if (text.size() < first + tail.size()) return false;
    if (!equal_here(pattern.substr(0, first), text)) return false;
    if (!equal_here(tail, text.substr(text.size() - tail.size()))) return false;

    // What stands between runs may be taken where it is found first: that leaves the most for the rest.
    text = text.substr(first, text.size() - first - tail.size());
    pattern = pattern.substr(first, last - first);
    while (!pattern.empty()) {
        pattern.remove_prefix(1);
        auto chunk = pattern.substr(0, pattern.find(run_of<Char>));
        pattern.remove_prefix(chunk.size());
        if (chunk.empty()) continue;
        auto at = chunk.find(one_of<Char>) == npos ? text.find(chunk) : find_with_ones(text, chunk);
        if (at == npos) return false;
        text.remove_prefix(at + chunk.size());
    }
    return true;
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char byte) { return byte < 0x80; });
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
    if (pattern.find(any_one) != std::string_view::npos && !is_ascii(text)) {
        auto points = code_points(text, false);
        auto wanted = code_points(pattern, true);
        return match<char32_t>(wanted, points);
    }
    return match<char>(pattern, text);
}

std::string lower_case(std::string_view text) {
    std::string lowered(text);
    for (char& c : lowered)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lowered;
}

}  // namespace integreat::policy
