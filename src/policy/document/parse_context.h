// SPDX-License-Identifier: Apache-2.0
// A document while it is being read: what the functions that read its parts hand to each other, and the
// sentences of AWS, which differ between IAM policies, trust policies and bucket policies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "policy/document/document.h"

namespace integreat::policy {

struct Draft {
    const DocumentLimits& limits;
    Document document;
    std::vector<Mistake> mistakes;
};

// A value and where it hangs.
struct Spot {
    const boost::json::value& value;
    std::string pointer;
};

void report(Draft& draft, std::string pointer, std::string message, Complaint complaint, std::string aws);

// AWS's words for a document that is not of the grammar, whatever it is.
std::string syntax_words(DocumentKind kind);
std::string unknown_field_words(DocumentKind kind, std::string_view name);
std::string missing_field_words(DocumentKind kind, std::string_view name);

// "a list", for sentences.
std::string_view name_of(const boost::json::value& value);

// A text within the limits, or nothing after a report.
std::optional<std::string> read_text(Draft& draft, const Spot& spot, std::string_view what);

// One text or a list of them, each with its place; nothing but reports if they are neither.
struct Text {
    std::string text;
    std::string pointer;
};
std::vector<Text> read_texts(Draft& draft, const Spot& spot, std::string_view what);

// Reports names that may not occur, with what was probably meant.
void refuse_unknown(Draft& draft, const boost::json::object& object, const std::string& pointer,
                    const std::vector<std::string>& known);

Statement read_statement(Draft& draft, const Spot& spot);

void read_principals(Draft& draft, const Spot& spot, bool is_not, Statement& statement);
void read_actions(Draft& draft, const Spot& spot, Statement& statement);
void read_resources(Draft& draft, const Spot& spot, Statement& statement);
void read_conditions(Draft& draft, const Spot& spot, Statement& statement);

}  // namespace integreat::policy
