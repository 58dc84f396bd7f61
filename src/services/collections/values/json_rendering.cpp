// SPDX-License-Identifier: Apache-2.0
#include "services/collections/values/json_rendering.h"

#include "base/time.h"
#include "json/value/writer.h"

namespace integreat::collections {

namespace {

constexpr std::string_view utc = "+00";

void append_quoted(std::string& to, std::string_view plain) {
    to += '"';
    to += plain;
    to += '"';
}

void append_list(std::string& to, const Field& field, std::string_view literal) {
    to += '[';
    bool first = true;
    for (const auto& element : array_elements(literal)) {
        if (!std::exchange(first, false)) to += ',';
        if (field.element == FieldType::integer)
            to += element;
        else
            json::append_json(to, element);
    }
    to += ']';
}

}  // namespace

std::vector<std::string> array_elements(std::string_view literal) {
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

void append_timestamp(std::string& to, std::string_view text) {
    to += '"';
    if (text.ends_with(utc) && text.size() > 11) {
        to.append(text.substr(0, 10)).append("T").append(text.substr(11, text.size() - 11 - utc.size()));
        to += "Z\"";
        return;
    }
    // A server that is not set to UTC: "+08" or "+05:30".
    std::string complete(text);
    if (complete.size() > 3 && complete[complete.size() - 3] != ':') complete += ":00";
    auto time = parse_rfc3339(complete);
    ASSERT(time);
    to += format_rfc3339(*time);
    to += '"';
}

void append_value(std::string& to, const Field& field, std::string_view text) {
    switch (field.type) {
        case FieldType::integer:
        case FieldType::address:
        case FieldType::file:
        case FieldType::json: to += text; return;
        case FieldType::decimal:
        case FieldType::date:
        case FieldType::reference:
        case FieldType::id: append_quoted(to, text); return;
        case FieldType::money:
            to.append(R"({"amount":)").append(text).append(R"(,"currency":")").append(field.currency);
            to += "\"}";
            return;
        case FieldType::boolean: to += text == "t" ? "true" : "false"; return;
        case FieldType::timestamp: append_timestamp(to, text); return;
        case FieldType::list: append_list(to, field, text); return;
        case FieldType::text:
        case FieldType::enumeration:
        case FieldType::email:
        case FieldType::phone:
        case FieldType::user: json::append_json(to, text); return;
    }
}

void append_record(std::string& to, std::span<const Shown> shown, const postgres::Rows& rows,
                   std::size_t row) {
    const char* before = "{\"";
    for (const auto& part : shown) {
        to.append(before, 2).append(part.field->name).append("\":", 2);  // Names of fields need no escapes.
        before = ",\"";
        auto column = part.expanded.empty() ? part.column : part.expanded.front().column;
        auto text = rows.text(row, column);
        if (text.empty() && rows.is_null(row, column))
            to.append("null", 4);
        else if (!part.expanded.empty())
            append_record(to, part.expanded, rows, row);
        else
            append_value(to, *part.field, text);
    }
    to += '}';
}

std::vector<Shown> shown_in_order(std::span<const Field* const> fields, std::size_t first) {
    std::vector<Shown> shown;
    for (const auto* field : fields)
        shown.push_back({.field = field, .column = first++, .expanded = {}});
    return shown;
}

}  // namespace integreat::collections
