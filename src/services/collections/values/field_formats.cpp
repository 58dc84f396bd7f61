// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "base/time.h"
#include "services/collections/values/field_validator.h"

namespace integreat::collections {

namespace {

constexpr std::size_t email_bytes_max = 254;
constexpr std::size_t local_part_bytes_max = 64;
constexpr std::size_t label_bytes_max = 63;
constexpr std::size_t decimal_bytes_max = 150;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

Error wrong(const char* sentence) {
    return {Fault::invalid, sentence, ""};
}

// Digits after the country code 63: a mobile number, or an area code with its subscriber number (Metro
// Manila has eight digits behind its 2, the provinces seven behind theirs).
bool is_philippine(std::string_view national) {
    if (national.starts_with('9')) return national.size() == 10;
    if (national.starts_with('2')) return national.size() == 9;
    return national.size() == 9 && national[0] >= '3' && national[0] <= '8';
}

bool is_local_part(std::string_view local) {
    constexpr std::string_view others = "!#$%&'*+-/=?^_`{|}~.";
    if (local.empty() || local.size() > local_part_bytes_max) return false;
    if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos)
        return false;
    return std::all_of(local.begin(), local.end(), [&](char c) {
        return is_digit(c) || is_letter(c) || others.find(c) != std::string_view::npos;
    });
}

bool is_label(std::string_view label) {
    if (label.empty() || label.size() > label_bytes_max) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    return std::all_of(label.begin(), label.end(),
                       [](char c) { return is_digit(c) || is_letter(c) || c == '-'; });
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

// The digits of a normal decimal before and after its point.
struct Digits {
    bool negative = false;
    std::string_view whole, fraction;
};

Digits digits_of(std::string_view text) {
    Digits digits{.negative = text.starts_with('-')};
    if (digits.negative) text.remove_prefix(1);
    auto point = text.find('.');
    digits.whole = text.substr(0, point);
    if (point != std::string_view::npos) digits.fraction = text.substr(point + 1);
    return digits;
}

int compare_magnitudes(const Digits& left, const Digits& right) {
    if (left.whole.size() != right.whole.size()) return left.whole.size() < right.whole.size() ? -1 : 1;
    if (int whole = left.whole.compare(right.whole)) return whole;
    // Without zeros at their ends, fractions compare as texts.
    return left.fraction.compare(right.fraction);
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

Result<std::string> normal_phone(std::string_view text) {
    constexpr const char* sentence = "must be a phone number, such as 0917 123 4567 or +639171234567";
    std::string digits;
    bool international = text.starts_with('+');
    for (char c : text.substr(international ? 1 : 0)) {
        if (is_digit(c))
            digits += c;
        else if (c != ' ' && c != '-' && c != '.' && c != '(' && c != ')')
            return wrong(sentence);
        if (digits.size() > 17) return wrong(sentence);
    }
    if (!international && digits.starts_with("00")) {
        digits.erase(0, 2);
        international = true;
    }
    std::string_view national = digits;
    if (national.starts_with("63") && (international || national.size() > 10)) {
        national.remove_prefix(2);
        if (national.starts_with('0')) national.remove_prefix(1);  // "+63 (0)917": written by many.
    } else if (international) {
        bool possible = digits.size() >= 8 && digits.size() <= 15 && digits.front() != '0';
        return possible ? Result<std::string>("+" + digits) : wrong(sentence);
    } else if (national.starts_with('0')) {
        national.remove_prefix(1);
    } else if (!(national.starts_with('9') && national.size() == 10)) {
        return wrong(sentence);
    }
    if (!is_philippine(national)) return wrong(sentence);
    return "+63" + std::string(national);
}

Result<std::string> normal_email(std::string_view text) {
    auto at = text.rfind('@');
    if (at == std::string_view::npos || text.size() > email_bytes_max || !is_local_part(text.substr(0, at)) ||
        !is_domain(text.substr(at + 1))) {
        return wrong("must be an e-mail address, such as ana@example.ph");
    }
    std::string email(text);
    std::transform(email.begin() + static_cast<std::ptrdiff_t>(at), email.end(),
                   email.begin() + static_cast<std::ptrdiff_t>(at), lower);
    return email;
}

Result<std::string> normal_date(std::string_view text) {
    bool form = text.size() == 10 && text[4] == '-' && text[7] == '-' && all_digits(text.substr(0, 4)) &&
                all_digits(text.substr(5, 2)) && all_digits(text.substr(8, 2));
    if (form) {
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
    return wrong("must be a date of the calendar, such as 2026-11-23");
}

Result<std::string> normal_timestamp(std::string_view text) {
    constexpr const char* sentence = "must be a time of RFC 3339, such as 2026-11-23T08:15:00Z";
    auto time = parse_rfc3339(text);
    if (!time) return wrong(sentence);
    auto normal = format_rfc3339(*time);
    // Offsets may lead out of the years that four digits can say.
    if (normal.size() < 5 || normal[4] != '-' || normal.starts_with("0000") || normal.starts_with('-'))
        return wrong(sentence);
    return normal;
}

Result<std::string> normal_uuid(std::string_view text) {
    constexpr std::string_view dashes = "\x08\x0d\x12\x17";
    if (text.size() != 36) return wrong("must be the id of a record");
    std::string uuid(text);
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        uuid[i] = lower(uuid[i]);
        bool dash = dashes.find(static_cast<char>(i)) != std::string_view::npos;
        bool fits = dash ? uuid[i] == '-' : is_digit(uuid[i]) || (uuid[i] >= 'a' && uuid[i] <= 'f');
        if (!fits) return wrong("must be the id of a record");
    }
    return uuid;
}

Result<std::string> normal_decimal(std::string_view text) {
    constexpr const char* sentence = "must be a decimal number in a text, such as \"12.50\"";
    bool negative = text.starts_with('-');
    auto rest = text.substr(negative ? 1 : 0);
    auto point = rest.find('.');
    auto whole = rest.substr(0, point);
    auto fraction = point == std::string_view::npos ? std::string_view() : rest.substr(point + 1);
    if (text.size() > decimal_bytes_max || !all_digits(whole) ||
        (point != std::string_view::npos && !all_digits(fraction))) {
        return wrong(sentence);
    }
    while (whole.size() > 1 && whole.front() == '0')
        whole.remove_prefix(1);
    while (!fraction.empty() && fraction.back() == '0')
        fraction.remove_suffix(1);
    if (whole == "0" && fraction.empty()) return std::string("0");
    auto normal = (negative ? "-" : "") + std::string(whole);
    return fraction.empty() ? normal : normal + "." + std::string(fraction);
}

int compare_decimals(std::string_view left, std::string_view right) {
    auto l = digits_of(left), r = digits_of(right);
    if (l.negative != r.negative) return l.negative ? -1 : 1;
    int magnitudes = compare_magnitudes(l, r);
    return l.negative ? -magnitudes : magnitudes;
}

std::string array_literal(const std::vector<std::string>& elements) {
    std::string literal = "{";
    for (const auto& element : elements)
        append_element(literal, element);
    return literal += '}';
}

std::string array_literal(const std::vector<std::optional<std::string>>& elements) {
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
