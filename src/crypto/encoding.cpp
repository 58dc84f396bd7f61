// SPDX-License-Identifier: Apache-2.0
#include "crypto/encoding.h"

#include <array>
#include <cstdint>

namespace integreat::crypto {

namespace {

using Alphabet = std::array<char, 64>;
using Reverse = std::array<std::uint8_t, 256>;

constexpr std::uint8_t foreign = 0xFF;

constexpr Alphabet alphabet_ending_in(char sixty_two, char sixty_three) {
    Alphabet letters{};
    for (std::size_t i = 0; i < 26; ++i) {
        letters[i] = static_cast<char>('A' + i);
        letters[26 + i] = static_cast<char>('a' + i);
    }
    for (std::size_t i = 0; i < 10; ++i)
        letters[52 + i] = static_cast<char>('0' + i);
    letters[62] = sixty_two;
    letters[63] = sixty_three;
    return letters;
}

constexpr Reverse reversed(const Alphabet& letters) {
    Reverse values{};
    for (auto& value : values)
        value = foreign;
    for (std::size_t i = 0; i < letters.size(); ++i) {
        values[static_cast<unsigned char>(letters[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}

constexpr Alphabet standard = alphabet_ending_in('+', '/');
constexpr Alphabet url_safe = alphabet_ending_in('-', '_');
constexpr Reverse standard_values = reversed(standard);
constexpr Reverse url_safe_values = reversed(url_safe);

std::string encode(std::string_view bytes, const Alphabet& letters) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t bits = 0;
    int count = 0;
    for (char character : bytes) {
        bits = (bits << 8) | static_cast<unsigned char>(character);
        for (count += 8; count >= 6; count -= 6)
            text += letters[(bits >> (count - 6)) & 63];
    }
    if (count > 0) text += letters[(bits << (6 - count)) & 63];
    return text;
}

// Decodes two to four letters to one to three bytes.
bool decode_rest(const unsigned char* letters, std::size_t count, const Reverse& values, unsigned char* out) {
    if (count == 0) return true;
    if (count == 1) return false;  // Six bits are less than a byte.
    std::uint32_t bits = 0;
    std::uint8_t combined = 0;
    for (std::size_t i = 0; i < count; ++i) {
        bits = (bits << 6) | (values[letters[i]] & 63u);
        combined |= values[letters[i]];
    }
    if (combined & 0xC0) return false;
    std::uint32_t trailing = count == 2 ? bits & 15u : bits & 3u;
    if (trailing != 0) return false;
    out[0] = static_cast<unsigned char>(count == 2 ? bits >> 4 : bits >> 10);
    if (count == 3) out[1] = static_cast<unsigned char>(bits >> 2);
    return true;
}

bool decode(std::string_view text, const Reverse& values, std::string& bytes) {
    bytes.resize(text.size() / 4 * 3 + (text.size() % 4 == 0 ? 0 : text.size() % 4 - 1));
    const auto* in = reinterpret_cast<const unsigned char*>(text.data());
    auto* out = reinterpret_cast<unsigned char*>(bytes.data());
    std::uint8_t combined = 0;
    for (std::size_t left = text.size() / 4; left > 0; --left, in += 4, out += 3) {
        std::uint8_t a = values[in[0]], b = values[in[1]], c = values[in[2]], d = values[in[3]];
        combined |= a | b | c | d;
        out[0] = static_cast<unsigned char>((a << 2) | (b >> 4));
        out[1] = static_cast<unsigned char>((b << 4) | (c >> 2));
        out[2] = static_cast<unsigned char>((c << 6) | d);
    }
    return (combined & 0xC0) == 0 && decode_rest(in, text.size() % 4, values, out);
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
    auto text = encode(bytes, standard);
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && text.ends_with('='); ++i)
        text.remove_suffix(1);
    std::string bytes;
    if (!decode(text, standard_values, bytes)) return std::nullopt;
    return bytes;
}

std::string base64url_encode(std::string_view bytes) {
    return encode(bytes, url_safe);
}

std::optional<std::string> base64url_decode(std::string_view text) {
    std::string bytes;
    if (!base64url_decode_into(text, bytes)) return std::nullopt;
    return bytes;
}

bool base64url_decode_into(std::string_view text, std::string& bytes) {
    return decode(text, url_safe_values, bytes);
}

std::string hex_encode(std::string_view bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (char character : bytes) {
        auto byte = static_cast<unsigned char>(character);
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

std::optional<std::string> hex_decode(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    auto digit = [](char letter) -> int {
        if (letter >= '0' && letter <= '9') return letter - '0';
        if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
        if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
        return -1;
    };
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        int high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

}  // namespace integreat::crypto
