// SPDX-License-Identifier: Apache-2.0
#include "config/collections/literals.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <re2/re2.h>

#include "json/binding/units.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

constexpr std::int64_t pattern_memory_max = 1 << 20;  // RE2 refuses patterns whose program grows beyond it.

re2::RE2::Options options() {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(pattern_memory_max);
    return options;
}

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

struct Decimal {
    bool negative = false;
    std::string_view whole;     // Without leading zeros: "" for 0.5.
    std::string_view fraction;  // Without zeros at its end.
};

std::string_view without_leading_zeros(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
    return text;
}

std::optional<Decimal> read_decimal(std::string_view text) {
    Decimal decimal;
    decimal.negative = text.starts_with('-');
    if (decimal.negative) text.remove_prefix(1);
    auto point = text.find('.');
    decimal.whole = text.substr(0, point);
    decimal.fraction = point == text.npos ? std::string_view() : text.substr(point + 1);
    bool sound = is_digits(decimal.whole) && (point == text.npos || is_digits(decimal.fraction)) &&
                 (decimal.whole.size() == 1 || !decimal.whole.starts_with('0'));
    if (!sound) return std::nullopt;
    decimal.whole = without_leading_zeros(decimal.whole);
    auto end = decimal.fraction.find_last_not_of('0');
    decimal.fraction = decimal.fraction.substr(0, end == decimal.fraction.npos ? 0 : end + 1);
    return decimal;
}

int sign_of(int order) {
    return order < 0 ? -1 : order > 0 ? 1 : 0;
}

int compare_sizes(const Decimal& left, const Decimal& right) {
    if (left.whole.size() != right.whole.size()) return left.whole.size() < right.whole.size() ? -1 : 1;
    if (int order = left.whole.compare(right.whole)) return sign_of(order);
    return sign_of(left.fraction.compare(right.fraction));
}

Complaint check_decimal(const FieldSettings& field, std::string_view text) {
    auto decimal = read_decimal(text);
    auto scale = field.scale.value_or(decimal_scale_default);
    auto digits = field.digits.value_or(std::max(decimal_digits_default, scale));
    if (!decimal) return "must be a decimal such as 12.50";
    if (static_cast<std::int64_t>(decimal->fraction.size()) > scale)
        return "must have at most " + std::to_string(scale) + " digits behind the point";
    if (static_cast<std::int64_t>(decimal->whole.size()) > digits - scale)
        return "must have at most " + std::to_string(digits - scale) + " digits before the point";
    return std::nullopt;
}

std::size_t characters_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

Complaint check_text(const FieldSettings& field, std::string_view text) {
    auto length = static_cast<std::int64_t>(characters_of(text));
    if (length > field.length_max.value_or(text_length_default))
        return "must have at most " + std::to_string(field.length_max.value_or(text_length_default)) +
               " characters";
    if (length < field.length_min.value_or(0))
        return "must have at least " + std::to_string(*field.length_min) + " characters";
    if (field.pattern.empty()) return std::nullopt;
    re2::RE2 pattern(field.pattern, options());
    bool fits = !pattern.ok() || re2::RE2::FullMatch({text.data(), text.size()}, pattern);
    return fits ? Complaint() : "must match the pattern " + json::quoted(field.pattern);
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

// RFC 3339 as far as an example needs it: a date, "T", a time, "Z".
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

Complaint check_between(const FieldSettings& field, std::string_view text) {
    auto below = [&](std::string_view left, std::string_view right) {
        return field.type == "date" ? left < right : compare_decimals(left, right) < 0;
    };
    std::string least = field.least.empty() && field.type == "money" ? "0" : field.least;
    bool has_least = !least.empty() && !check_bound(field, least);
    bool has_most = !field.most.empty() && !check_bound(field, field.most);
    if (has_least && below(text, least)) return "must be at least " + least;
    if (has_most && below(field.most, text)) return "must be at most " + field.most;
    return std::nullopt;
}

}  // namespace

int compare_decimals(std::string_view left, std::string_view right) {
    auto a = *read_decimal(left);
    auto b = *read_decimal(right);
    auto is_zero = [](const Decimal& d) { return d.whole.empty() && d.fraction.empty(); };
    if (is_zero(a)) a.negative = false;
    if (is_zero(b)) b.negative = false;
    if (a.negative != b.negative) return a.negative ? -1 : 1;
    return a.negative ? compare_sizes(b, a) : compare_sizes(a, b);
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

Complaint check_bound(const FieldSettings& field, std::string_view text) {
    if (field.type == "integer") return json::parse_integer(text) ? Complaint() : "must be a whole number";
    if (field.type == "money")
        return json::parse_integer(text) ? Complaint() : "must be a whole number of minor units (centavos)";
    if (field.type == "decimal") return check_decimal(field, text);
    return is_date(text) ? Complaint() : "must be a date such as 2026-11-23";
}

Complaint check_literal(const FieldSettings& field, std::string_view text) {
    if (is_ordered(field)) {
        auto complaint = check_bound(field, text);
        return complaint ? complaint : check_between(field, text);
    }
    if (field.type == "text") return check_text(field, text);
    if (field.type == "boolean")
        return text == "true" || text == "false" ? Complaint() : "must be true or false";
    if (field.type == "enum") {
        bool known = std::find(field.values.begin(), field.values.end(), text) != field.values.end();
        return known || field.values.empty() ? Complaint() : "must be one of its values";
    }
    if (field.type == "email")
        return looks_like_email(text) ? Complaint() : "must be an address such as maria@example.ph";
    if (field.type == "phone")
        return looks_like_phone(text) ? Complaint() : "must be a number such as +639171234567";
    if (field.type == "timestamp")
        return looks_like_timestamp(text) ? Complaint() : "must be a time such as 2026-11-23T08:00:00Z";
    return std::nullopt;
}

Complaint check_pattern(std::string_view pattern) {
    re2::RE2 compiled({pattern.data(), pattern.size()}, options());
    return compiled.ok() ? Complaint() : "is refused by RE2: " + compiled.error();
}

}  // namespace integreat::config
