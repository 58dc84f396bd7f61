// SPDX-License-Identifier: Apache-2.0
// Reads one statement of a policy document.
#include <algorithm>

#include "json/document/node.h"
#include "policy/document/parse_context.h"

namespace integreat::policy {

namespace {

using boost::json::object;

void read_sid(Draft& draft, const object& from, const std::string& pointer, Statement& statement) {
    const auto* given = from.if_contains("Sid");
    if (!given) return;
    auto place = json::below(pointer, "Sid");
    auto sid = read_text(draft, {*given, place}, "Sid");
    if (!sid) return;
    auto plain = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    // Bucket policies may have spaces and more in it.
    if (draft.document.kind != DocumentKind::resource && !std::all_of(sid->begin(), sid->end(), plain)) {
        report(draft, place, "Sid may have letters and digits only: " + json::quoted(*sid), Complaint::sid,
               "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
               "expression [0-9A-Za-z]*");
        return;
    }
    statement.sid = std::move(*sid);
}

void read_effect(Draft& draft, const object& from, const std::string& pointer, Statement& statement) {
    const auto* given = from.if_contains("Effect");
    const auto* text = given ? given->if_string() : nullptr;
    if (text && *text == "Allow") {
        statement.effect = Effect::allow;
    } else if (!given) {
        report(draft, pointer, "the statement has no Effect: add \"Effect\": \"Allow\" or \"Deny\"",
               Complaint::syntax, missing_field_words(draft.document.kind, "Effect"));
    } else if (!text || *text != "Deny") {
        auto shown = text ? std::string(*text) : std::string(name_of(*given));
        report(draft, json::below(pointer, "Effect"),
               "Effect must be \"Allow\" or \"Deny\", not " + json::quoted(shown), Complaint::syntax,
               draft.document.kind == DocumentKind::identity ? syntax_words(draft.document.kind)
                                                             : "Invalid effect: " + shown);
    }
}

// The one of two elements that exclude each other, and whether it is the second.
const boost::json::value* either(Draft& draft, const object& from, const std::string& pointer,
                                 const char* name, const char* not_name, bool& is_not) {
    const auto* plain = from.if_contains(name);
    const auto* negated = from.if_contains(not_name);
    if (plain && negated) {
        report(draft, pointer,
               std::string(name) + " and " + not_name + " exclude each other: keep one of them",
               Complaint::syntax, syntax_words(draft.document.kind));
    }
    is_not = !plain && negated;
    return plain ? plain : negated;
}

void read_who(Draft& draft, const object& from, const std::string& pointer, Statement& statement) {
    bool is_not = false;
    const auto* given = either(draft, from, pointer, "Principal", "NotPrincipal", is_not);
    if (draft.document.kind == DocumentKind::identity) {
        if (!given) return;
        report(draft, json::below(pointer, is_not ? "NotPrincipal" : "Principal"),
               "a policy of a user or role has no Principal, it is about whom it is attached to: remove it",
               Complaint::principal, "Policy document should not specify a principal.");
        return;
    }
    if (!given) {
        report(draft, pointer,
               "the statement has no Principal: say whom it is about, such as {\"AWS\": \"123456789012\"}",
               Complaint::syntax, "Missing required field Principal");
        return;
    }
    auto place = json::below(pointer, is_not ? "NotPrincipal" : "Principal");
    if (is_not && statement.effect == Effect::allow) {
        report(draft, place, "NotPrincipal is for Deny only: with Allow it would let in everyone else",
               Complaint::principal, "Allow with NotPrincipal is not allowed.");
        return;
    }
    read_principals(draft, {*given, place}, is_not, statement);
}

void read_what(Draft& draft, const object& from, const std::string& pointer, Statement& statement) {
    const auto* given = either(draft, from, pointer, "Action", "NotAction", statement.is_not_action);
    bool identity = draft.document.kind == DocumentKind::identity;
    auto place = json::below(pointer, statement.is_not_action ? "NotAction" : "Action");
    if (given) read_actions(draft, {*given, place}, statement);
    bool empty = given && given->is_array() && given->get_array().empty();
    if (given && !empty) return;
    report(draft, given ? place : pointer, "the statement has no actions: add \"Action\"",
           Complaint::action_missing,
           identity ? "Policy statement must contain actions." : "Missing required field Action");
}

void read_where(Draft& draft, const object& from, const std::string& pointer, Statement& statement) {
    const auto* given = either(draft, from, pointer, "Resource", "NotResource", statement.is_not_resource);
    auto place = json::below(pointer, statement.is_not_resource ? "NotResource" : "Resource");
    if (draft.document.kind == DocumentKind::trust) {
        if (!given) return;
        report(
            draft, place, "a trust policy has no Resource, it is about its role: remove it",
            Complaint::syntax,
            std::string("Has prohibited field ") + (statement.is_not_resource ? "NotResource" : "Resource"));
        return;
    }
    if (given) read_resources(draft, {*given, place}, statement);
    bool empty = given && given->is_array() && given->get_array().empty();
    if (given && !empty) return;
    bool identity = draft.document.kind == DocumentKind::identity;
    report(draft, given ? place : pointer, "the statement has no resources: add \"Resource\"",
           Complaint::resource_missing,
           identity ? "Policy statement must contain resources." : "Missing required field Resource");
}

}  // namespace

Statement read_statement(Draft& draft, const Spot& spot) {
    Statement statement;
    const auto* from = spot.value.if_object();
    if (!from) {
        report(draft, spot.pointer, "a statement must be an object, not " + std::string(name_of(spot.value)),
               Complaint::syntax, syntax_words(draft.document.kind));
        return statement;
    }
    refuse_unknown(draft, *from, spot.pointer,
                   {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
                    "NotResource", "Condition"});
    read_sid(draft, *from, spot.pointer, statement);
    read_effect(draft, *from, spot.pointer, statement);
    read_who(draft, *from, spot.pointer, statement);
    read_what(draft, *from, spot.pointer, statement);
    read_where(draft, *from, spot.pointer, statement);
    if (const auto* conditions = from->if_contains("Condition")) {
        read_conditions(draft, {*conditions, json::below(spot.pointer, "Condition")}, statement);
    }
    return statement;
}

}  // namespace integreat::policy
