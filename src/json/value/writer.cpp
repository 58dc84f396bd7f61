// SPDX-License-Identifier: Apache-2.0
#include "json/value/writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/text/ascii.h"

namespace integreat::json {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

constexpr auto plain_bytes = [] {
    std::array<bool, 256> plain{};
    for (std::size_t byte = 0x20; byte < 0x7f; ++byte)
        plain[byte] = byte != '"' && byte != '\\';
    return plain;
}();

// Returns the length of the prefix that needs no escaping. Scans eight bytes at a time.
std::size_t plain_length(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    std::size_t length = 0;
    for (; text.size() - length >= 8; length += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + length, 8);
        // Sets the high bit of each zero byte, which after the XOR is each byte equal to `byte`. Bytes behind
        // the first match may be false positives; then the loop below checks byte by byte.
        auto zero_bytes = [](std::uint64_t bytes) { return (bytes - ones) & ~bytes; };
        auto equal_to = [&](std::uint64_t byte) { return zero_bytes(word ^ (ones * byte)); };
        auto control = (word - ones * 0x20) & ~word;
        if (((word | control | equal_to('"') | equal_to('\\') | equal_to(0x7f)) & highs) != 0) break;
    }
    while (length < text.size() && plain_bytes[static_cast<unsigned char>(text[length])])
        ++length;
    return length;
}

// Returns the length of the well-formed UTF-8 sequence at the front (RFC 3629), or 0.
std::size_t sequence_length(std::string_view text) {
    auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    auto within = [&](std::size_t i, unsigned low, unsigned high) {
        return byte(i) >= low && byte(i) <= high;
    };
    unsigned first = byte(0);
    if (first >= 0xC2 && first <= 0xDF) return within(1, 0x80, 0xBF) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        unsigned low = first == 0xE0 ? 0xA0 : 0x80, high = first == 0xED ? 0x9F : 0xBF;
        return within(1, low, high) && within(2, 0x80, 0xBF) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        unsigned low = first == 0xF0 ? 0x90 : 0x80, high = first == 0xF4 ? 0x8F : 0xBF;
        return within(1, low, high) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
    }
    return 0;
}

void append_escaped(std::string& to, unsigned char byte) {
    switch (byte) {
        case '"': to += "\\\""; return;
        case '\\': to += "\\\\"; return;
        case '\n': to += "\\n"; return;
        case '\r': to += "\\r"; return;
        case '\t': to += "\\t"; return;
        default: break;
    }
    to += "\\u00";
    to += hex_digits[byte >> 4];
    to += hex_digits[byte & 15];
}

}  // namespace

void append_json(std::string& to, std::string_view text) {
    to += '"';
    while (!text.empty()) {
        auto run = plain_length(text);
        to.append(text.data(), run);
        text.remove_prefix(run);
        if (text.empty()) break;
        auto byte = static_cast<unsigned char>(text.front());
        std::size_t length = 1;
        if (byte < 0x80) {
            append_escaped(to, byte);
        } else if (auto sequence = sequence_length(text)) {
            to.append(text.data(), length = sequence);
        } else {
            to += replacement;
        }
        text.remove_prefix(length);
    }
    to += '"';
}

void append_number(std::string& to, std::int64_t number) {
    std::array<char, 20> digits;
    auto [end, failure] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    static_cast<void>(failure);
    to.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void append_time(std::string& to, Time time) {
    auto day = std::chrono::floor<std::chrono::days>(time);
    std::chrono::year_month_day date(day);
    auto micros = static_cast<std::uint64_t>((time - day).count());
    std::array<char, 27> text{"0000-00-00T00:00:00.000000"};
    auto digits = [&](std::size_t last, std::size_t count, std::uint64_t number) {
        for (; count-- > 0; number /= 10)
            text[last--] = static_cast<char>('0' + number % 10);
    };
    digits(3, 4, static_cast<std::uint64_t>(std::clamp(int(date.year()), 0, 9999)));
    digits(6, 2, unsigned(date.month()));
    digits(9, 2, unsigned(date.day()));
    digits(12, 2, micros / 3'600'000'000);
    digits(15, 2, micros / 60'000'000 % 60);
    digits(18, 2, micros / 1'000'000 % 60);
    digits(25, 6, micros % 1'000'000);
    text[26] = 'Z';
    to.append(text.data(), text.size());
}

}  // namespace integreat::json
