// SPDX-License-Identifier: Apache-2.0
#include "identity/api_keys/api_key_format.h"

#include <algorithm>
#include <array>

#include "crypto/hash.h"

namespace integreat::identity {

namespace {

constexpr std::string_view marker = "itg_";
constexpr std::string_view letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t prefix_length = 8;
constexpr std::size_t secret_length = 43;  // 62 to the 43rd is more than 2 to the 256th.
constexpr std::size_t checksum_length = 6;
constexpr std::size_t key_length = marker.size() + prefix_length + 1 + secret_length + checksum_length;

void append_random_letters(std::string& text, std::size_t count, Random& random) {
    std::array<std::byte, 64> noise;
    while (count > 0) {
        random.fill(noise);
        for (auto byte : noise) {
            auto number = std::to_integer<std::size_t>(byte);
            if (number >= 256 / letters.size() * letters.size())
                continue;  // Rejects the remainder, so that all letters are equally likely.
            text += letters[number % letters.size()];
            if (--count == 0) break;
        }
    }
}

std::string checksum(std::string_view text) {
    auto digest = crypto::sha256(text);
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i)
        number = number << 8 | digest[i];
    std::string digits(checksum_length, '0');
    for (auto letter = digits.rbegin(); letter != digits.rend(); ++letter, number /= letters.size()) {
        *letter = letters[number % letters.size()];
    }
    return digits;
}

bool is_alphanumeric(std::string_view text) {
    return std::ranges::all_of(text, [](char letter) { return letters.find(letter) != letters.npos; });
}

}  // namespace

ApiKeyText generate_api_key_text(Random& random) {
    std::string text(marker);
    text.reserve(key_length);  // Prevents reallocation, which would leave copies of the secret in memory.
    append_random_letters(text, prefix_length, random);
    auto prefix = text.substr(marker.size());
    text += '_';
    append_random_letters(text, secret_length, random);
    text += checksum(text);
    return {std::move(prefix), Secret(std::move(text))};
}

bool is_api_key_text(std::string_view text) {
    return text.starts_with(marker);
}

std::optional<std::string_view> parse_api_key_prefix(std::string_view text) {
    if (text.size() != key_length || !is_api_key_text(text)) return std::nullopt;
    auto prefix = text.substr(marker.size(), prefix_length);
    auto rest = text.substr(marker.size() + prefix_length + 1);
    if (text[marker.size() + prefix_length] != '_' || !is_alphanumeric(prefix) || !is_alphanumeric(rest))
        return std::nullopt;
    if (checksum(text.substr(0, key_length - checksum_length)) != text.substr(key_length - checksum_length)) {
        return std::nullopt;
    }
    return prefix;
}

std::string hash_api_key(std::string_view text) {
    return std::string(crypto::as_view(crypto::sha256(text)));
}

}  // namespace integreat::identity
