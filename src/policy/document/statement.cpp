// SPDX-License-Identifier: Apache-2.0
#include "policy/document/statement.h"

#include <algorithm>

#include "base/text/ascii.h"
#include "json/document/node.h"
#include "policy/document/elements.h"

namespace integreat::policy {

namespace {

using boost::json::object;

void parse_sid(ParseContext& context, const object& from, const std::string& pointer, Statement& statement) {
    const auto* value = from.if_contains("Sid");
    if (!value) return;
    auto element_pointer = json::append_pointer(pointer, "Sid");
    auto sid = parse_text(context, {*value, element_pointer}, "Sid");
    if (!sid) return;
    // Bucket policies permit other characters too.
    if (context.document.kind != DocumentKind::resource && !std::all_of(sid->begin(), sid->end(), is_alnum)) {
        report(context, element_pointer, "Sid must consist of letters and digits: " + json::quoted(*sid),
               ErrorKind::sid,
               "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
               "expression [0-9A-Za-z]*");
        return;
    }
    statement.sid = std::move(*sid);
}

void parse_effect(ParseContext& context, const object& from, const std::string& pointer,
                  Statement& statement) {
    const auto* value = from.if_contains("Effect");
    const auto* text = value ? value->if_string() : nullptr;
    if (text && *text == "Allow") {
        statement.effect = Effect::allow;
    } else if (!value) {
        report(context, pointer, "the statement has no Effect: add \"Effect\": \"Allow\" or \"Deny\"",
               ErrorKind::syntax, aws_missing_field(context.document.kind, "Effect"));
    } else if (!text || *text != "Deny") {
        auto actual = text ? std::string(*text) : std::string(json_type_name(*value));
        report(context, json::append_pointer(pointer, "Effect"),
               "Effect must be \"Allow\" or \"Deny\", not " + json::quoted(actual), ErrorKind::syntax,
               context.document.kind == DocumentKind::identity ? aws_syntax_error(context.document.kind)
                                                               : "Invalid effect: " + actual);
    }
}

// Returns the one of two mutually exclusive elements, and in `is_not` whether it is the second.
const boost::json::value* find_element(ParseContext& context, const object& from, const std::string& pointer,
                                       const char* name, const char* not_name, bool& is_not) {
    const auto* plain = from.if_contains(name);
    const auto* negated = from.if_contains(not_name);
    if (plain && negated) {
        report(context, pointer,
               std::string(name) + " and " + not_name + " exclude each other: keep one of them",
               ErrorKind::syntax, aws_syntax_error(context.document.kind));
    }
    is_not = !plain && negated;
    return plain ? plain : negated;
}

void parse_principal_element(ParseContext& context, const object& from, const std::string& pointer,
                             Statement& statement) {
    bool is_not = false;
    const auto* value = find_element(context, from, pointer, "Principal", "NotPrincipal", is_not);
    if (context.document.kind == DocumentKind::identity) {
        if (!value) return;
        report(context, json::append_pointer(pointer, is_not ? "NotPrincipal" : "Principal"),
               "a policy of a user or role must not have a Principal, as it applies to that user or role: "
               "remove it",
               ErrorKind::principal, "Policy document should not specify a principal.");
        return;
    }
    if (!value) {
        report(context, pointer,
               "the statement has no Principal: add one, such as {\"AWS\": \"123456789012\"}",
               ErrorKind::syntax, "Missing required field Principal");
        return;
    }
    auto element_pointer = json::append_pointer(pointer, is_not ? "NotPrincipal" : "Principal");
    if (is_not && statement.effect == Effect::allow) {
        report(context, element_pointer,
               "NotPrincipal is for Deny only: with Allow it would allow everyone else", ErrorKind::principal,
               "Allow with NotPrincipal is not allowed.");
        return;
    }
    parse_principals(context, {*value, element_pointer}, is_not, statement);
}

void parse_action_element(ParseContext& context, const object& from, const std::string& pointer,
                          Statement& statement) {
    const auto* value = find_element(context, from, pointer, "Action", "NotAction", statement.is_not_action);
    bool identity = context.document.kind == DocumentKind::identity;
    auto element_pointer = json::append_pointer(pointer, statement.is_not_action ? "NotAction" : "Action");
    if (value) parse_actions(context, {*value, element_pointer}, statement);
    bool empty = value && value->is_array() && value->get_array().empty();
    if (value && !empty) return;
    report(context, value ? element_pointer : pointer, "the statement has no actions: add \"Action\"",
           ErrorKind::action_missing,
           identity ? "Policy statement must contain actions." : "Missing required field Action");
}

void parse_resource_element(ParseContext& context, const object& from, const std::string& pointer,
                            Statement& statement) {
    const auto* value =
        find_element(context, from, pointer, "Resource", "NotResource", statement.is_not_resource);
    auto element_pointer =
        json::append_pointer(pointer, statement.is_not_resource ? "NotResource" : "Resource");
    if (context.document.kind == DocumentKind::trust) {
        if (!value) return;
        report(
            context, element_pointer,
            "a trust policy must not have a Resource, as it applies to its role: remove it",
            ErrorKind::syntax,
            std::string("Has prohibited field ") + (statement.is_not_resource ? "NotResource" : "Resource"));
        return;
    }
    if (value) parse_resources(context, {*value, element_pointer}, statement);
    bool empty = value && value->is_array() && value->get_array().empty();
    if (value && !empty) return;
    bool identity = context.document.kind == DocumentKind::identity;
    report(context, value ? element_pointer : pointer, "the statement has no resources: add \"Resource\"",
           ErrorKind::resource_missing,
           identity ? "Policy statement must contain resources." : "Missing required field Resource");
}

}  // namespace

Statement parse_statement(ParseContext& context, const ValueLocation& location) {
    Statement statement;
    const auto* from = location.value.if_object();
    if (!from) {
        report(context, location.pointer,
               "a statement must be an object, not " + std::string(json_type_name(location.value)),
               ErrorKind::syntax, aws_syntax_error(context.document.kind));
        return statement;
    }
    report_unknown_elements(context, *from, location.pointer,
                            {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
                             "NotResource", "Condition"});
    parse_sid(context, *from, location.pointer, statement);
    parse_effect(context, *from, location.pointer, statement);
    parse_principal_element(context, *from, location.pointer, statement);
    parse_action_element(context, *from, location.pointer, statement);
    parse_resource_element(context, *from, location.pointer, statement);
    if (const auto* conditions = from->if_contains("Condition")) {
        parse_conditions(context, {*conditions, json::append_pointer(location.pointer, "Condition")},
                         statement);
    }
    return statement;
}

}  // namespace integreat::policy
