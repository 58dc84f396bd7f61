// SPDX-License-Identifier: Apache-2.0
#include "json/binding/units.h"

#include <array>
#include <charconv>
#include <span>

namespace integreat::json {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

constexpr std::array<Unit, 5> duration_units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 7> byte_units{{{"GiB", 1'073'741'824},
                                          {"MiB", 1'048'576},
                                          {"KiB", 1'024},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"kB", 1'000},
                                          {"B", 1}}};

std::optional<std::int64_t> parse_amount(std::string_view text, std::span<const Unit> units) {
    std::size_t digits = text.find_first_not_of("0123456789");
    if (digits == text.npos) return std::nullopt;
    auto number = parse_integer(text.substr(0, digits));
    if (!number) return std::nullopt;
    for (const auto& unit : units) {
        if (text.substr(digits) != unit.name) continue;
        std::int64_t product = 0;
        if (__builtin_mul_overflow(*number, unit.factor, &product)) return std::nullopt;
        return product;
    }
    return std::nullopt;
}

std::string format_amount(std::int64_t amount, std::span<const Unit> units) {
    for (const auto& unit : units) {
        if (amount != 0 && amount % unit.factor == 0) {
            return std::to_string(amount / unit.factor) + std::string(unit.name);
        }
    }
    return std::to_string(amount);
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    bool padded = digits.size() > 1 && digits.front() == '0';
    return padded || text == "-0" ? std::nullopt : std::optional(number);
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
    return parse_amount(text, duration_units);
}

std::string format_duration(std::int64_t length_ms) {
    return length_ms == 0 ? "0s" : format_amount(length_ms, duration_units);
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
    if (auto bytes = parse_amount(text, byte_units)) return bytes;
    auto bytes = parse_integer(text);
    return bytes && *bytes >= 0 ? bytes : std::nullopt;
}

std::string format_bytes(std::int64_t bytes) {
    // Multiples of 1024 use binary units, even where a decimal unit divides them.
    std::span<const Unit> units(byte_units);
    return bytes % 1'024 == 0 ? format_amount(bytes, units.first(3)) : format_amount(bytes, units.subspan(3));
}

}  // namespace integreat::json
