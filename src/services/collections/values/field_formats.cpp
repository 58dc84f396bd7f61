// SPDX-License-Identifier: Apache-2.0
#include "services/collections/values/field_formats.h"

#include <algorithm>
#include <charconv>

#include "base/text/ascii.h"
#include "base/time.h"

namespace integreat::collections {

namespace {

constexpr std::size_t email_bytes_max = 254;
constexpr std::size_t local_part_bytes_max = 64;
constexpr std::size_t label_bytes_max = 63;
constexpr std::size_t decimal_bytes_max = 150;

// Checks the digits after the country code 63: a mobile number, or an area code with its subscriber number
// (eight digits after Metro Manila's 2, seven after the area codes of the provinces).
bool is_philippine(std::string_view national) {
    if (national.starts_with('9')) return national.size() == 10;
    if (national.starts_with('2')) return national.size() == 9;
    return national.size() == 9 && national[0] >= '3' && national[0] <= '8';
}

bool is_local_part(std::string_view local) {
    constexpr std::string_view symbols = "!#$%&'*+-/=?^_`{|}~.";
    if (local.empty() || local.size() > local_part_bytes_max) return false;
    if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos)
        return false;
    return std::all_of(local.begin(), local.end(), [&](char c) {
        return is_digit(c) || is_alpha(c) || symbols.find(c) != std::string_view::npos;
    });
}

bool is_label(std::string_view label) {
    if (label.empty() || label.size() > label_bytes_max) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    return std::all_of(label.begin(), label.end(),
                       [](char c) { return is_digit(c) || is_alpha(c) || c == '-'; });
}

bool is_domain(std::string_view domain) {
    auto last = domain.rfind('.');
    if (last == std::string_view::npos || domain.size() - last < 3 || is_digit(domain[last + 1]))
        return false;
    while (true) {
        auto dot = domain.find('.');
        if (!is_label(domain.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        domain.remove_prefix(dot + 1);
    }
}

void append_element(std::string& literal, std::string_view element) {
    if (literal.size() > 1) literal += ',';
    literal += '"';
    for (char c : element) {
        if (c == '"' || c == '\\') literal += '\\';
        literal += c;
    }
    literal += '"';
}

}  // namespace

Result<std::string> normalize_phone(std::string_view text) {
    constexpr const char* message = "must be a phone number, such as 0917 123 4567 or +639171234567";
    std::string digits;
    bool international = text.starts_with('+');
    for (char c : text.substr(international ? 1 : 0)) {
        if (is_digit(c))
            digits += c;
        else if (c != ' ' && c != '-' && c != '.' && c != '(' && c != ')')
            return invalid(message);
        if (digits.size() > 17) return invalid(message);
    }
    if (!international && digits.starts_with("00")) {
        digits.erase(0, 2);
        international = true;
    }
    std::string_view national = digits;
    if (national.starts_with("63") && (international || national.size() > 10)) {
        national.remove_prefix(2);
        if (national.starts_with('0')) national.remove_prefix(1);  // "+63 (0)917" is a common spelling.
    } else if (international) {
        bool possible = digits.size() >= 8 && digits.size() <= 15 && digits.front() != '0';
        return possible ? Result<std::string>("+" + digits) : invalid(message);
    } else if (national.starts_with('0')) {
        national.remove_prefix(1);
    } else if (!(national.starts_with('9') && national.size() == 10)) {
        return invalid(message);
    }
    if (!is_philippine(national)) return invalid(message);
    return "+63" + std::string(national);
}

Result<std::string> normalize_email(std::string_view text) {
    auto at = text.rfind('@');
    if (at == std::string_view::npos || text.size() > email_bytes_max || !is_local_part(text.substr(0, at)) ||
        !is_domain(text.substr(at + 1))) {
        return invalid("must be an e-mail address, such as ana@example.ph");
    }
    return std::string(text.substr(0, at)) + to_lower(text.substr(at));
}

Result<std::string> normalize_date(std::string_view text) {
    bool well_formed = text.size() == 10 && text[4] == '-' && text[7] == '-' &&
                       is_digits(text.substr(0, 4)) && is_digits(text.substr(5, 2)) &&
                       is_digits(text.substr(8, 2));
    if (well_formed) {
        auto number = [&](std::size_t at, std::size_t count) {
            int value = 0;
            std::from_chars(text.data() + at, text.data() + at + count, value);
            return value;
        };
        std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
        if (date.ok() && int(date.year()) >= 1) return std::string(text);
    }
    return invalid("must be a calendar date, such as 2026-11-23");
}

Result<std::string> normalize_timestamp(std::string_view text) {
    constexpr const char* message = "must be an RFC 3339 timestamp, such as 2026-11-23T08:15:00Z";
    auto time = parse_rfc3339(text);
    if (!time) return invalid(message);
    auto normalized = format_rfc3339(*time);
    // An offset may lead to a year that does not have four digits.
    if (normalized.size() < 5 || normalized[4] != '-' || normalized.starts_with("0000") ||
        normalized.starts_with('-'))
        return invalid(message);
    return normalized;
}

Result<std::string> normalize_uuid(std::string_view text) {
    constexpr std::string_view dashes = "\x08\x0d\x12\x17";
    if (text.size() != 36) return invalid("must be the id of a record");
    std::string uuid(text);
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        uuid[i] = to_lower(uuid[i]);
        bool dash = dashes.find(static_cast<char>(i)) != std::string_view::npos;
        bool fits = dash ? uuid[i] == '-' : is_digit(uuid[i]) || (uuid[i] >= 'a' && uuid[i] <= 'f');
        if (!fits) return invalid("must be the id of a record");
    }
    return uuid;
}

Result<std::string> normalize_decimal(std::string_view text) {
    constexpr const char* message = "must be a decimal number as a string, such as \"12.50\"";
    bool negative = text.starts_with('-');
    auto rest = text.substr(negative ? 1 : 0);
    auto point = rest.find('.');
    auto whole = rest.substr(0, point);
    auto fraction = point == std::string_view::npos ? std::string_view() : rest.substr(point + 1);
    if (text.size() > decimal_bytes_max || !is_digits(whole) ||
        (point != std::string_view::npos && !is_digits(fraction))) {
        return invalid(message);
    }
    while (whole.size() > 1 && whole.front() == '0')
        whole.remove_prefix(1);
    while (!fraction.empty() && fraction.back() == '0')
        fraction.remove_suffix(1);
    if (whole == "0" && fraction.empty()) return std::string("0");
    auto normalized = (negative ? "-" : "") + std::string(whole);
    return fraction.empty() ? normalized : normalized + "." + std::string(fraction);
}

std::string to_array_literal(const std::vector<std::string>& elements) {
    std::string literal = "{";
    for (const auto& element : elements)
        append_element(literal, element);
    return literal += '}';
}

std::string to_array_literal(const std::vector<std::optional<std::string>>& elements) {
    std::string literal = "{";
    for (const auto& element : elements) {
        if (element)
            append_element(literal, *element);
        else
            literal += literal.size() > 1 ? ",NULL" : "NULL";
    }
    return literal += '}';
}

std::string_view sql_type(FieldType type) {
    switch (type) {
        case FieldType::integer:
        case FieldType::money: return "bigint";
        case FieldType::decimal: return "numeric";
        case FieldType::boolean: return "boolean";
        case FieldType::date: return "date";
        case FieldType::timestamp: return "timestamptz";
        case FieldType::address:
        case FieldType::file:
        case FieldType::json: return "jsonb";
        case FieldType::reference:
        case FieldType::id: return "uuid";
        case FieldType::text:
        case FieldType::enumeration:
        case FieldType::email:
        case FieldType::phone:
        case FieldType::user:
        case FieldType::list: return "text";
    }
    return "text";
}

}  // namespace integreat::collections
