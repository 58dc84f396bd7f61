// SPDX-License-Identifier: Apache-2.0
#include "services/collections/values/json_rendering.h"

#include "base/time.h"
#include "json/value/writer.h"

namespace integreat::collections {

namespace {

constexpr std::string_view utc = "+00";

void append_quoted(std::string& out, std::string_view plain) {
    out += '"';
    out += plain;
    out += '"';
}

void append_list(std::string& out, const Field& field, std::string_view literal) {
    out += '[';
    bool first = true;
    for (const auto& element : parse_array_literal(literal)) {
        if (!std::exchange(first, false)) out += ',';
        if (field.element == FieldType::integer)
            out += element;
        else
            json::append_json(out, element);
    }
    out += ']';
}

}  // namespace

std::vector<std::string> parse_array_literal(std::string_view literal) {
    std::vector<std::string> elements;
    if (literal.size() < 2) return elements;
    literal = literal.substr(1, literal.size() - 2);
    for (std::size_t at = 0; at < literal.size(); ++at) {
        std::string element;
        if (literal[at] == '"') {
            for (++at; literal[at] != '"'; ++at) {
                if (literal[at] == '\\') ++at;
                element += literal[at];
            }
            ++at;
        } else {
            auto end = std::min(literal.find(',', at), literal.size());
            element = literal.substr(at, end - at);
            at = end;
        }
        elements.push_back(std::move(element));
    }
    return elements;
}

void append_timestamp(std::string& out, std::string_view text) {
    out += '"';
    if (text.ends_with(utc) && text.size() > 11) {
        out.append(text.substr(0, 10)).append("T").append(text.substr(11, text.size() - 11 - utc.size()));
        out += "Z\"";
        return;
    }
    // A server time zone other than UTC: "+08" or "+05:30".
    std::string padded(text);
    if (padded.size() > 3 && padded[padded.size() - 3] != ':') padded += ":00";
    auto time = parse_rfc3339(padded);
    ASSERT(time);
    out += format_rfc3339(*time);
    out += '"';
}

void append_value(std::string& out, const Field& field, std::string_view text) {
    switch (field.type) {
        case FieldType::integer:
        case FieldType::address:
        case FieldType::file:
        case FieldType::json: out += text; return;
        case FieldType::decimal:
        case FieldType::date:
        case FieldType::reference:
        case FieldType::id: append_quoted(out, text); return;
        case FieldType::money:
            out.append(R"({"amount":)").append(text).append(R"(,"currency":")").append(field.currency);
            out += "\"}";
            return;
        case FieldType::boolean: out += text == "t" ? "true" : "false"; return;
        case FieldType::timestamp: append_timestamp(out, text); return;
        case FieldType::list: append_list(out, field, text); return;
        case FieldType::text:
        case FieldType::enumeration:
        case FieldType::email:
        case FieldType::phone:
        case FieldType::user: json::append_json(out, text); return;
    }
}

void append_record(std::string& out, std::span<const OutputColumn> columns, const postgres::ResultSet& rows,
                   std::size_t row) {
    const char* separator = "{\"";
    for (const auto& entry : columns) {
        out.append(separator, 2).append(entry.field->name).append("\":", 2);  // Field names need no escapes.
        separator = ",\"";
        auto column = entry.expanded.empty() ? entry.column : entry.expanded.front().column;
        auto text = rows.text(row, column);
        if (text.empty() && rows.is_null(row, column))
            out.append("null", 4);
        else if (!entry.expanded.empty())
            append_record(out, entry.expanded, rows, row);
        else
            append_value(out, *entry.field, text);
    }
    out += '}';
}

std::vector<OutputColumn> output_columns(std::span<const Field* const> fields, std::size_t first) {
    std::vector<OutputColumn> columns;
    for (const auto* field : fields)
        columns.push_back({.field = field, .column = first++, .expanded = {}});
    return columns;
}

}  // namespace integreat::collections
