// SPDX-License-Identifier: Apache-2.0
#include "policy/document/wildcard.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace integreat::policy {

namespace {

// Characters besides code points: the two wildcards, and bytes that are not UTF-8.
constexpr char32_t run_marker = 0x110001;
constexpr char32_t one_marker = 0x110002;
constexpr char32_t invalid_byte = 0x110100;

template <class Char>
inline constexpr Char any_run_of = Char(any_run);
template <>
inline constexpr char32_t any_run_of<char32_t> = run_marker;
template <class Char>
inline constexpr Char any_one_of = Char(any_one);
template <>
inline constexpr char32_t any_one_of<char32_t> = one_marker;

std::u32string code_points(std::string_view text, bool is_pattern) {
    std::u32string points;
    points.reserve(text.size());
    while (!text.empty()) {
        auto first = static_cast<unsigned char>(text[0]);
        std::size_t length = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        bool valid = length != 0 && length <= text.size() && first < 0xF8;
        for (std::size_t i = 1; valid && i < length; ++i)
            valid = (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
        if (!valid) {
            bool run = is_pattern && text[0] == any_run;
            bool one = is_pattern && text[0] == any_one;
            points += run ? run_marker : one ? one_marker : invalid_byte + first;
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
bool matches_prefix(std::basic_string_view<Char> chunk, std::basic_string_view<Char> text) {
    for (std::size_t i = 0; i < chunk.size(); ++i) {
        if (chunk[i] != text[i] && chunk[i] != any_one_of<Char>) return false;
    }
    return true;
}

// Finds a chunk that contains "?". Bitap (Baeza-Yates and Gonnet): bit i of the state is set if the first i +
// 1 characters of the chunk match the text that ends here. All positions advance in one step, without
// backtracking.
template <class Char>
std::size_t find_chunk(std::basic_string_view<Char> text, std::basic_string_view<Char> chunk) {
    const std::size_t words = (chunk.size() + 63) / 64;
    std::basic_string<Char> alphabet(chunk);
    std::sort(alphabet.begin(), alphabet.end());
    alphabet.erase(std::unique(alphabet.begin(), alphabet.end()), alphabet.end());
    // The last row is for characters that are not in the chunk.
    std::vector<std::uint64_t> masks((alphabet.size() + 1) * words, 0);
    auto find_row = [&](Char c) {
        auto found = std::lower_bound(alphabet.begin(), alphabet.end(), c);
        bool exists = found != alphabet.end() && *found == c;
        return exists ? static_cast<std::size_t>(found - alphabet.begin()) : alphabet.size();
    };
    for (std::size_t i = 0; i < chunk.size(); ++i) {
        bool any = chunk[i] == any_one_of<Char>;
        auto row = any ? 0 : find_row(chunk[i]);
        for (auto end = any ? alphabet.size() + 1 : row + 1; row < end; ++row)
            masks[row * words + i / 64] |= std::uint64_t(1) << (i % 64);
    }
    std::vector<std::uint64_t> state(words, 0);
    const std::uint64_t complete = std::uint64_t(1) << ((chunk.size() - 1) % 64);
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto row = find_row(text[at]);
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
    auto first = pattern.find(any_run_of<Char>);
    if (first == npos) return pattern.size() == text.size() && matches_prefix(pattern, text);
    auto last = pattern.rfind(any_run_of<Char>);
    auto tail = pattern.substr(last + 1);
    if (text.size() < first + tail.size()) return false;
    if (!matches_prefix(pattern.substr(0, first), text)) return false;
    if (!matches_prefix(tail, text.substr(text.size() - tail.size()))) return false;

    // Between runs, the first occurrence of each chunk is taken: it leaves the longest rest.
    text = text.substr(first, text.size() - first - tail.size());
    pattern = pattern.substr(first, last - first);
    while (!pattern.empty()) {
        pattern.remove_prefix(1);
        auto chunk = pattern.substr(0, pattern.find(any_run_of<Char>));
        pattern.remove_prefix(chunk.size());
        if (chunk.empty()) continue;
        auto at = chunk.find(any_one_of<Char>) == npos ? text.find(chunk) : find_chunk(text, chunk);
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
        auto pattern_points = code_points(pattern, true);
        return match<char32_t>(pattern_points, points);
    }
    return match<char>(pattern, text);
}

}  // namespace integreat::policy
