// SPDX-License-Identifier: Apache-2.0
#include "policy/document/parse_context.h"

#include <algorithm>

#include "base/text/ascii.h"
#include "base/text/closest_match.h"
#include "json/document/node.h"

namespace integreat::policy {

void report(ParseContext& context, std::string pointer, std::string message, ErrorKind kind,
            std::string aws_message) {
    constexpr std::size_t aws_message_bytes_max = 1'000;  // AWS's messages quote input of any length.
    if (context.errors.size() >= context.limits.errors_max) return;
    if (aws_message.size() > aws_message_bytes_max) {
        std::size_t end = aws_message_bytes_max;
        while (end > 0 && (static_cast<unsigned char>(aws_message[end]) & 0xC0) == 0x80)
            --end;
        aws_message.resize(end);
    }
    context.errors.push_back({std::move(pointer), std::move(message), kind, std::move(aws_message)});
}

std::string aws_syntax_error(DocumentKind) {
    return "Syntax errors in policy.";
}

std::string aws_unknown_field(DocumentKind kind, std::string_view name) {
    if (kind == DocumentKind::identity) return aws_syntax_error(kind);
    return "Unknown field " + std::string(name);
}

std::string aws_missing_field(DocumentKind kind, std::string_view name) {
    if (kind == DocumentKind::identity) return aws_syntax_error(kind);
    return "Missing required field " + std::string(name);
}

std::string_view json_type_name(const boost::json::value& value) {
    if (value.is_null()) return "null";
    if (value.is_bool()) return "a boolean";
    if (value.is_number()) return "a number";
    if (value.is_string()) return "a string";
    return value.is_array() ? "a list" : "an object";
}

std::optional<std::string> parse_text(ParseContext& context, const ValueLocation& location,
                                      std::string_view element) {
    const auto* text = location.value.if_string();
    auto aws_message = aws_syntax_error(context.document.kind);
    if (!text) {
        report(context, location.pointer,
               std::string(element) + " must be a string, not " + std::string(json_type_name(location.value)),
               ErrorKind::syntax, aws_message);
        return std::nullopt;
    }
    if (text->size() > context.limits.text_bytes_max) {
        report(context, location.pointer,
               std::string(element) + " is longer than " + std::to_string(context.limits.text_bytes_max) +
                   " bytes",
               ErrorKind::syntax, aws_message);
        return std::nullopt;
    }
    return std::string(*text);
}

std::vector<TextValue> parse_texts(ParseContext& context, const ValueLocation& location,
                                   std::string_view element) {
    std::vector<TextValue> texts;
    const auto* list = location.value.if_array();
    if (!list) {
        if (auto text = parse_text(context, location, element))
            texts.push_back({std::move(*text), location.pointer});
        return texts;
    }
    if (list->size() > context.limits.values_max) {
        report(context, location.pointer,
               std::string(element) + " has more than " + std::to_string(context.limits.values_max) +
                   " values: use wildcards or several statements",
               ErrorKind::syntax, aws_syntax_error(context.document.kind));
        return texts;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
        auto pointer = json::append_pointer(location.pointer, i);
        if (auto text = parse_text(context, {(*list)[i], pointer}, element)) {
            texts.push_back({std::move(*text), std::move(pointer)});
        }
    }
    return texts;
}

void report_unknown_elements(ParseContext& context, const boost::json::object& object,
                             const std::string& pointer, const std::vector<std::string>& known) {
    for (const auto& member : object) {
        std::string name(member.key());
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        auto same = std::find_if(known.begin(), known.end(),
                                 [&](const std::string& candidate) { return iequals(candidate, name); });
        auto suggestion =
            same != known.end() ? ", did you mean \"" + *same + "\"?" : did_you_mean(name, known);
        report(context, json::append_pointer(pointer, name),
               "unknown element " + json::quoted(name) + suggestion, ErrorKind::syntax,
               aws_unknown_field(context.document.kind, name));
    }
}

}  // namespace integreat::policy
