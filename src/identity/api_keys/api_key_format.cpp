// SPDX-License-Identifier: Apache-2.0
#include "identity/api_keys/api_key_format.h"

#include <algorithm>
#include <array>

#include "crypto/digest.h"

namespace integreat::identity {

namespace {

constexpr std::string_view brand = "itg_";
constexpr std::string_view letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t prefix_length = 8;
constexpr std::size_t secret_length = 43;  // 62 to the 43rd is more than 2 to the 256th.
constexpr std::size_t check_length = 6;
constexpr std::size_t whole_length = brand.size() + prefix_length + 1 + secret_length + check_length;

void append_random_letters(std::string& text, std::size_t count, Random& random) {
    std::array<std::byte, 64> noise;
    while (count > 0) {
        random.fill(noise);
        for (auto byte : noise) {
            auto number = std::to_integer<std::size_t>(byte);
            if (number >= 256 / letters.size() * letters.size()) continue;  // So that no letter is likelier.
            text += letters[number % letters.size()];
            if (--count == 0) break;
        }
    }
}

std::string check_of(std::string_view text) {
    auto digest = crypto::sha256(text);
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i)
        number = number << 8 | digest[i];
    std::string check(check_length, '0');
    for (auto letter = check.rbegin(); letter != check.rend(); ++letter, number /= letters.size()) {
        *letter = letters[number % letters.size()];
    }
    return check;
}

bool alphanumeric(std::string_view text) {
    return std::ranges::all_of(text, [](char letter) { return letters.find(letter) != letters.npos; });
}

}  // namespace

NewKeyText make_key_text(Random& random) {
    std::string text(brand);
    text.reserve(whole_length);  // Not moved while it grows: no copies of the secret are left behind.
    append_random_letters(text, prefix_length, random);
    auto prefix = text.substr(brand.size());
    text += '_';
    append_random_letters(text, secret_length, random);
    text += check_of(text);
    return {std::move(prefix), Secret(std::move(text))};
}

bool is_key_text(std::string_view text) {
    return text.starts_with(brand);
}

std::optional<std::string_view> prefix_of_key_text(std::string_view text) {
    if (text.size() != whole_length || !is_key_text(text)) return std::nullopt;
    auto prefix = text.substr(brand.size(), prefix_length);
    auto rest = text.substr(brand.size() + prefix_length + 1);
    if (text[brand.size() + prefix_length] != '_' || !alphanumeric(prefix) || !alphanumeric(rest))
        return std::nullopt;
    if (check_of(text.substr(0, whole_length - check_length)) != text.substr(whole_length - check_length)) {
        return std::nullopt;
    }
    return prefix;
}

std::string hash_of_key_text(std::string_view text) {
    return std::string(crypto::as_view(crypto::sha256(text)));
}

}  // namespace integreat::identity
