// SPDX-License-Identifier: Apache-2.0
#include "services/collections/values/csv_fields.h"

#include <algorithm>
#include <charconv>

#include "base/text/ascii.h"
#include "json/value/parse.h"
#include "services/collections/values/field_formats.h"
#include "services/collections/values/json_rendering.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

// Currencies of ISO 4217:2015, list one, by number of decimals; all others have two.
constexpr std::string_view zero_decimals =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
constexpr std::string_view three_decimals = "BHD IQD JOD KWD LYD OMR TND";
constexpr std::string_view four_decimals = "CLF UYW";

std::size_t currency_decimals(std::string_view currency) {
    auto listed = [&](std::string_view list) { return list.find(currency) != std::string_view::npos; };
    return listed(zero_decimals) ? 0 : listed(three_decimals) ? 3 : listed(four_decimals) ? 4 : 2;
}

bool is_plain_text(FieldType type) {
    return type == FieldType::text || type == FieldType::enumeration || type == FieldType::email ||
           type == FieldType::phone || type == FieldType::user;
}

Result<bj::value> parse_integer(std::string_view text) {
    std::int64_t number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end != text.data() + text.size() || failure == std::errc::invalid_argument)
        return invalid("must be a whole number");
    if (failure != std::errc()) return invalid("is out of range");
    return bj::value(number);
}

Result<bj::value> parse_boolean(std::string_view text) {
    // Spreadsheets write TRUE and FALSE.
    if (iequals(text, "true")) return bj::value(true);
    if (iequals(text, "false")) return bj::value(false);
    return invalid("must be true or false");
}

Result<bj::value> parse_json(std::string_view text) {
    auto value = json::parse(text);
    if (!value) return invalid("must be JSON: " + value.error().message);
    return *std::move(value);
}

}  // namespace

std::string format_major_units(std::string_view minor, std::string_view currency) {
    auto decimals = currency_decimals(currency);
    bool negative = minor.starts_with('-');
    std::string digits(minor.substr(negative ? 1 : 0));
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    if (decimals > 0) digits.insert(digits.size() - decimals, 1, '.');
    return (negative ? "-" : "") + digits;
}

Result<std::int64_t> parse_minor_units(std::string_view major, std::string_view currency) {
    auto decimals = currency_decimals(currency);
    auto rest = major.substr(major.starts_with('-') ? 1 : 0);
    auto point = rest.find('.');
    auto whole = rest.substr(0, point);
    auto fraction = point == std::string_view::npos ? std::string_view() : rest.substr(point + 1);
    bool valid = is_digits(whole) && (point == std::string_view::npos || is_digits(fraction));
    if (!valid || fraction.size() > decimals) {
        return invalid("must be an amount of " + std::string(currency) + ", such as " +
                       format_major_units("150000", currency));
    }
    auto digits = (major.starts_with('-') ? "-" : "") + std::string(whole) + std::string(fraction) +
                  std::string(decimals - fraction.size(), '0');
    std::int64_t number = 0;
    auto failure = std::from_chars(digits.data(), digits.data() + digits.size(), number).ec;
    if (failure != std::errc()) return invalid("is out of range");
    return number;
}

void append_csv_field(std::string& out, const Field& field, std::string_view text) {
    if (is_plain_text(field.type)) return formats::append_csv_cell(out, formats::escape_formula(text));
    if (field.type == FieldType::money)
        return formats::append_csv_cell(out, format_major_units(text, field.currency));
    std::string value;
    append_value(value, field, text);
    bool quoted = value.starts_with('"') && field.type != FieldType::json;
    // JSON strings of dates, IDs and the like contain no escapes: dropping the quotes is enough.
    formats::append_csv_cell(
        out, quoted ? std::string_view(value).substr(1, value.size() - 2) : std::string_view(value));
}

Result<bj::value> parse_csv_field(const Field& field, const formats::CsvCell& cell) {
    bool empty_text = cell.quoted && field.type == FieldType::text;
    if (cell.text.empty() && !empty_text) return bj::value();
    switch (field.type) {
        case FieldType::integer: return parse_integer(cell.text);
        case FieldType::boolean: return parse_boolean(cell.text);
        case FieldType::money: {
            auto amount = TRY(parse_minor_units(cell.text, field.currency));
            return bj::value(bj::object{{"amount", amount}});
        }
        case FieldType::address:
        case FieldType::file:
        case FieldType::list:
        case FieldType::json: return parse_json(cell.text);
        case FieldType::decimal:
        case FieldType::date:
        case FieldType::timestamp:
        case FieldType::reference:
        case FieldType::id: return bj::value(cell.text);
        default: return bj::value(formats::unescape_formula(cell.text));
    }
}

}  // namespace integreat::collections
