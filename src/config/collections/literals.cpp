// SPDX-License-Identifier: Apache-2.0
#include "config/collections/literals.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <re2/re2.h>

#include "base/text/ascii.h"
#include "json/binding/units.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

constexpr std::int64_t max_pattern_memory = 1 << 20;  // Maximum size of a compiled RE2 pattern in bytes.

re2::RE2::Options options() {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(max_pattern_memory);
    return options;
}

struct Decimal {
    bool negative = false;
    std::string_view whole;     // Without leading zeros; empty for 0.5.
    std::string_view fraction;  // Without trailing zeros.
};

std::string_view without_leading_zeros(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
    return text;
}

std::optional<Decimal> parse_decimal(std::string_view text) {
    Decimal decimal;
    decimal.negative = text.starts_with('-');
    if (decimal.negative) text.remove_prefix(1);
    auto point = text.find('.');
    decimal.whole = text.substr(0, point);
    decimal.fraction = point == text.npos ? std::string_view() : text.substr(point + 1);
    bool is_valid = is_digits(decimal.whole) && (point == text.npos || is_digits(decimal.fraction)) &&
                    (decimal.whole.size() == 1 || !decimal.whole.starts_with('0'));
    if (!is_valid) return std::nullopt;
    decimal.whole = without_leading_zeros(decimal.whole);
    auto end = decimal.fraction.find_last_not_of('0');
    decimal.fraction = decimal.fraction.substr(0, end == decimal.fraction.npos ? 0 : end + 1);
    return decimal;
}

int sign(int order) {
    return order < 0 ? -1 : order > 0 ? 1 : 0;
}

int compare_magnitudes(const Decimal& left, const Decimal& right) {
    if (left.whole.size() != right.whole.size()) return left.whole.size() < right.whole.size() ? -1 : 1;
    if (int order = left.whole.compare(right.whole)) return sign(order);
    return sign(left.fraction.compare(right.fraction));
}

CheckResult check_decimal(const FieldSettings& field, std::string_view text) {
    auto decimal = parse_decimal(text);
    auto scale = decimal_scale(field);
    auto precision = decimal_precision(field);
    if (!decimal) return "must be a decimal such as 12.50";
    if (static_cast<std::int64_t>(decimal->fraction.size()) > scale)
        return "must have at most " + std::to_string(scale) + " digits after the point";
    if (static_cast<std::int64_t>(decimal->whole.size()) > precision - scale)
        return "must have at most " + std::to_string(precision - scale) + " digits before the point";
    return std::nullopt;
}

std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

CheckResult check_text(const FieldSettings& field, std::string_view text) {
    auto length = static_cast<std::int64_t>(count_characters(text));
    if (length > field.max_length.value_or(default_text_length))
        return "must have at most " + std::to_string(field.max_length.value_or(default_text_length)) +
               " characters";
    if (length < field.min_length.value_or(0))
        return "must have at least " + std::to_string(*field.min_length) + " characters";
    if (field.pattern.empty()) return std::nullopt;
    re2::RE2 pattern(field.pattern, options());
    bool matches = !pattern.ok() || re2::RE2::FullMatch({text.data(), text.size()}, pattern);
    return matches ? CheckResult() : "must match the pattern " + json::quoted(field.pattern);
}

bool looks_like_email(std::string_view text) {
    auto at = text.find('@');
    return at != text.npos && at > 0 && text.find('@', at + 1) == text.npos &&
           text.find('.', at + 2) != text.npos && text.back() != '.' &&
           text.find_first_of(" \t,;") == text.npos;
}

bool looks_like_phone(std::string_view text) {
    return text.size() >= 9 && text.size() <= 16 && text.starts_with('+') && text[1] != '0' &&
           is_digits(text.substr(1));
}

// Recognizes the subset of RFC 3339 that examples use: a date, "T", a time, "Z".
bool looks_like_timestamp(std::string_view text) {
    return text.size() == 20 && is_date(text.substr(0, 10)) && text[10] == 'T' && text[19] == 'Z' &&
           is_digits(text.substr(11, 2)) && text[13] == ':' && is_digits(text.substr(14, 2)) &&
           text[16] == ':' && is_digits(text.substr(17, 2)) && text.substr(11, 2) < "24" &&
           text.substr(14, 2) < "60" && text.substr(17, 2) < "60";
}

bool is_ordered(const FieldSettings& field) {
    return field.type == "integer" || field.type == "decimal" || field.type == "money" ||
           field.type == "date";
}

CheckResult check_range(const FieldSettings& field, std::string_view text) {
    auto is_less = [&](std::string_view left, std::string_view right) {
        return field.type == "date" ? left < right : compare_decimals(left, right) < 0;
    };
    std::string minimum = field.min.empty() && field.type == "money" ? "0" : field.min;
    bool has_min = !minimum.empty() && !check_bound(field, minimum);
    bool has_max = !field.max.empty() && !check_bound(field, field.max);
    if (has_min && is_less(text, minimum)) return "must be at least " + minimum;
    if (has_max && is_less(field.max, text)) return "must be at most " + field.max;
    return std::nullopt;
}

}  // namespace

std::int64_t decimal_scale(const FieldSettings& field) {
    return field.scale.value_or(default_decimal_scale);
}

std::int64_t decimal_precision(const FieldSettings& field) {
    return field.precision.value_or(std::max(default_decimal_precision, decimal_scale(field)));
}

std::string money_currency(const FieldSettings& field) {
    return field.currency.empty() ? std::string(default_currency) : field.currency;
}

int compare_decimals(std::string_view left, std::string_view right) {
    auto a = *parse_decimal(left);
    auto b = *parse_decimal(right);
    auto is_zero = [](const Decimal& d) { return d.whole.empty() && d.fraction.empty(); };
    if (is_zero(a)) a.negative = false;
    if (is_zero(b)) b.negative = false;
    if (a.negative != b.negative) return a.negative ? -1 : 1;
    return a.negative ? compare_magnitudes(b, a) : compare_magnitudes(a, b);
}

bool is_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    auto number = [&](std::size_t at, std::size_t length) {
        int value = -1;
        std::from_chars(text.data() + at, text.data() + at + length, value);
        return is_digits(text.substr(at, length)) ? value : -1;
    };
    int year = number(0, 4), month = number(5, 2), day = number(8, 2);
    if (year < 1 || month < 0 || day < 0) return false;
    return std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(unsigned(month)),
                                       std::chrono::day(unsigned(day)))
        .ok();
}

CheckResult check_bound(const FieldSettings& field, std::string_view text) {
    if (field.type == "integer") return json::parse_integer(text) ? CheckResult() : "must be a whole number";
    if (field.type == "money")
        return json::parse_integer(text) ? CheckResult() : "must be a whole number of minor units (centavos)";
    if (field.type == "decimal") return check_decimal(field, text);
    return is_date(text) ? CheckResult() : "must be a date such as 2026-11-23";
}

CheckResult check_literal(const FieldSettings& field, std::string_view text) {
    if (is_ordered(field)) {
        auto error = check_bound(field, text);
        return error ? error : check_range(field, text);
    }
    if (field.type == "text") return check_text(field, text);
    if (field.type == "boolean")
        return text == "true" || text == "false" ? CheckResult() : "must be true or false";
    if (field.type == "enum") {
        bool is_value = std::find(field.values.begin(), field.values.end(), text) != field.values.end();
        return is_value || field.values.empty() ? CheckResult() : "must be one of its values";
    }
    if (field.type == "email")
        return looks_like_email(text) ? CheckResult() : "must be an address such as maria@example.ph";
    if (field.type == "phone")
        return looks_like_phone(text) ? CheckResult() : "must be a number such as +639171234567";
    if (field.type == "timestamp")
        return looks_like_timestamp(text) ? CheckResult() : "must be a time such as 2026-11-23T08:00:00Z";
    return std::nullopt;
}

CheckResult check_pattern(std::string_view pattern) {
    re2::RE2 compiled({pattern.data(), pattern.size()}, options());
    return compiled.ok() ? CheckResult() : "is not a valid RE2 pattern: " + compiled.error();
}

}  // namespace integreat::config
