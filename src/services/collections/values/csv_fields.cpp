// SPDX-License-Identifier: Apache-2.0
#include "services/collections/values/csv_fields.h"

#include <algorithm>
#include <charconv>

#include "json/value/parse.h"
#include "services/collections/values/json_rendering.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

// ISO 4217:2015, list one; all others have two.
constexpr std::string_view without_decimals =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
constexpr std::string_view with_three = "BHD IQD JOD KWD LYD OMR TND";
constexpr std::string_view with_four = "CLF UYW";

std::size_t decimals_of(std::string_view currency) {
    auto among = [&](std::string_view all) { return all.find(currency) != std::string_view::npos; };
    return among(without_decimals) ? 0 : among(with_three) ? 3 : among(with_four) ? 4 : 2;
}

bool all_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool same_letters(std::string_view text, std::string_view lower) {
    return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(),
                                                     [](char a, char b) { return (a | 0x20) == b; });
}

Error wrong(std::string sentence) {
    return {Fault::invalid, std::move(sentence), ""};
}

bool is_written_text(FieldType type) {
    return type == FieldType::text || type == FieldType::enumeration || type == FieldType::email ||
           type == FieldType::phone || type == FieldType::user;
}

Result<bj::value> integer_of(std::string_view text) {
    std::int64_t number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end != text.data() + text.size() || failure == std::errc::invalid_argument)
        return wrong("must be a whole number");
    if (failure != std::errc()) return wrong("is too large a number");
    return bj::value(number);
}

Result<bj::value> boolean_of(std::string_view text) {
    // Spreadsheets write them in capitals.
    if (same_letters(text, "true")) return bj::value(true);
    if (same_letters(text, "false")) return bj::value(false);
    return wrong("must be true or false");
}

Result<bj::value> json_of(std::string_view text) {
    auto value = json::parse(text);
    if (!value) return wrong("must be JSON: " + value.error().message);
    return *std::move(value);
}

}  // namespace

std::string major_units(std::string_view minor, std::string_view currency) {
    auto decimals = decimals_of(currency);
    bool negative = minor.starts_with('-');
    std::string digits(minor.substr(negative ? 1 : 0));
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    if (decimals > 0) digits.insert(digits.size() - decimals, 1, '.');
    return (negative ? "-" : "") + digits;
}

Result<std::int64_t> minor_units(std::string_view major, std::string_view currency) {
    auto decimals = decimals_of(currency);
    auto rest = major.substr(major.starts_with('-') ? 1 : 0);
    auto point = rest.find('.');
    auto whole = rest.substr(0, point);
    auto fraction = point == std::string_view::npos ? std::string_view() : rest.substr(point + 1);
    bool sound = all_digits(whole) && (point == std::string_view::npos || all_digits(fraction));
    if (!sound || fraction.size() > decimals) {
        return wrong("must be an amount of " + std::string(currency) + ", such as " +
                     major_units("150000", currency));
    }
    auto digits = (major.starts_with('-') ? "-" : "") + std::string(whole) + std::string(fraction) +
                  std::string(decimals - fraction.size(), '0');
    std::int64_t number = 0;
    auto failure = std::from_chars(digits.data(), digits.data() + digits.size(), number).ec;
    if (failure != std::errc()) return wrong("is too large an amount");
    return number;
}

void append_cell(std::string& to, const Field& field, std::string_view text) {
    if (is_written_text(field.type)) return formats::append_csv_cell(to, formats::guarded(text));
    if (field.type == FieldType::money)
        return formats::append_csv_cell(to, major_units(text, field.currency));
    std::string value;
    append_value(value, field, text);
    bool quoted = value.starts_with('"') && field.type != FieldType::json;
    // Dates, ids and the like need no escapes as JSON.
    formats::append_csv_cell(
        to, quoted ? std::string_view(value).substr(1, value.size() - 2) : std::string_view(value));
}

Result<bj::value> cell_value(const Field& field, const formats::CsvCell& cell) {
    bool empty_text = cell.quoted && field.type == FieldType::text;
    if (cell.text.empty() && !empty_text) return bj::value();
    switch (field.type) {
        case FieldType::integer: return integer_of(cell.text);
        case FieldType::boolean: return boolean_of(cell.text);
        case FieldType::money: {
            auto amount = TRY(minor_units(cell.text, field.currency));
            return bj::value(bj::object{{"amount", amount}});
        }
        case FieldType::address:
        case FieldType::file:
        case FieldType::list:
        case FieldType::json: return json_of(cell.text);
        case FieldType::decimal:
        case FieldType::date:
        case FieldType::timestamp:
        case FieldType::reference:
        case FieldType::id: return bj::value(cell.text);
        default: return bj::value(formats::without_guard(cell.text));
    }
}

}  // namespace integreat::collections
