// SPDX-License-Identifier: Apache-2.0
// The small readings that the files of SigV4 share.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/sigv4.h"

namespace integreat::aws {

inline char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string lower_case(std::string_view text) {
    std::string lowered(text);
    std::ranges::transform(lowered, lowered.begin(), lower);
    return lowered;
}

inline bool equal_names(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, [](char a, char b) { return lower(a) == lower(b); });
}

inline bool starts_with_name(std::string_view text, std::string_view start) {
    return text.size() >= start.size() && equal_names(text.substr(0, start.size()), start);
}

inline std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

inline std::optional<std::string_view> find_field(const SigV4Message& message, std::string_view name) {
    for (const auto& field : message.headers) {
        if (equal_names(field.name, name)) return field.value;
    }
    return std::nullopt;
}

// What is no "%XX" stays as it is.
std::string percent_decode(std::string_view text);

// Percent-decoded pairs in their order. "+" is a space, as those who read the query take it: were it a plus
// here, "%2B" of a presigned URL could be edited into a space.
std::vector<std::pair<std::string, std::string>> decode_query(std::string_view query);

}  // namespace integreat::aws
