// SPDX-License-Identifier: Apache-2.0
// The state of parsing a document, shared by the functions that parse its elements, and the error messages of
// AWS, which differ between IAM policies, trust policies and bucket policies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "policy/document/document.h"

namespace integreat::policy {

struct ParseContext {
    const DocumentLimits& limits;
    Document document;
    std::vector<ValidationError> errors;
};

// A JSON value and its pointer (RFC 6901).
struct ValueLocation {
    const boost::json::value& value;
    std::string pointer;
};

void report(ParseContext& context, std::string pointer, std::string message, ErrorKind kind,
            std::string aws_message);

// Returns AWS's message for any violation of the grammar.
std::string aws_syntax_error(DocumentKind kind);
std::string aws_unknown_field(DocumentKind kind, std::string_view name);
std::string aws_missing_field(DocumentKind kind, std::string_view name);

// Returns the JSON type with its article, for messages: "a list".
std::string_view json_type_name(const boost::json::value& value);

// Parses a string within the limits. Returns nullopt after reporting an error.
std::optional<std::string> parse_text(ParseContext& context, const ValueLocation& location,
                                      std::string_view element);

// A string and its pointer.
struct TextValue {
    std::string text;
    std::string pointer;
};
// Parses one string or a list of strings; reports anything else.
std::vector<TextValue> parse_texts(ParseContext& context, const ValueLocation& location,
                                   std::string_view element);

// Reports members that are not in `known`, with a suggestion.
void report_unknown_elements(ParseContext& context, const boost::json::object& object,
                             const std::string& pointer, const std::vector<std::string>& known);

}  // namespace integreat::policy
