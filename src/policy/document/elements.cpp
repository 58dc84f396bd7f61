// SPDX-License-Identifier: Apache-2.0
// Reads the elements of a statement that have values: principals, actions, resources, conditions.
#include <algorithm>
#include <array>

#include <boost/json/serialize.hpp>

#include "base/text/closest_match.h"
#include "json/document/node.h"
#include "policy/document/arn.h"
#include "policy/document/parse_context.h"
#include "policy/document/wildcard.h"

namespace integreat::policy {

namespace {

struct PrincipalName {
    const char* name;
    PrincipalKind kind;
};
constexpr std::array principal_names{PrincipalName{"AWS", PrincipalKind::aws},
                                     PrincipalName{"Federated", PrincipalKind::federated},
                                     PrincipalName{"Service", PrincipalKind::service},
                                     PrincipalName{"CanonicalUser", PrincipalKind::canonical_user}};

void report_principal(Draft& draft, std::string pointer, std::string_view kind, std::string_view text) {
    auto words = std::string("Invalid principal in policy");
    if (draft.document.kind == DocumentKind::trust) {
        words += ": \"" + std::string(kind) + "\":\"" + std::string(text) + "\"";
    }
    report(draft, std::move(pointer),
           json::quoted(text) +
               " is nobody: give an account number, the ARN of a user, a role or a session "
               "(without wildcards), a provider, a service, or \"*\"",
           Complaint::principal, std::move(words));
}

void report_action(Draft& draft, const Text& action, std::string message, std::string aws) {
    if (draft.document.kind == DocumentKind::resource) aws = "Policy has invalid action";
    report(draft, action.pointer, std::move(message), Complaint::action, std::move(aws));
}

bool is_vendor(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '.';
    });
}

// An action is "*" or "vendor:name", the name with wildcards.
bool is_action(Draft& draft, const Text& action) {
    std::string_view text = action.text;
    if (text == "*") return true;
    auto colon = text.find(':');
    if (colon == std::string_view::npos) {
        report_action(draft, action,
                      "the action " + json::quoted(text) + " names no service, such as \"s3:\"",
                      "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
        return false;
    }
    if (text.find(':', colon + 1) != std::string_view::npos) {
        report_action(draft, action, "the action " + json::quoted(text) + " has more than one colon",
                      "Actions/Condition can contain only one colon.");
        return false;
    }
    auto vendor = text.substr(0, colon);
    if (!is_vendor(vendor)) {
        report_action(
            draft, action,
            "the action " + json::quoted(text) + " needs a service without wildcards before its colon",
            "Vendor " + std::string(vendor) + " is not valid");
        return false;
    }
    if (draft.document.kind == DocumentKind::trust && lower_case(vendor) != "sts") {
        report_action(draft, action, "a trust policy allows actions of STS only, not " + json::quoted(text),
                      "AssumeRole policy may only specify STS AssumeRole actions.");
        return false;
    }
    return true;
}

// A resource is "*" or an ARN whose partition and service are fixed.
bool is_resource(Draft& draft, const Text& resource) {
    const auto& text = resource.text;
    if (text == "*") return true;
    bool bucket = draft.document.kind == DocumentKind::resource;
    auto refuse = [&](std::string message, std::string words) {
        report(draft, resource.pointer, std::move(message), Complaint::resource,
               bucket ? "Policy has invalid resource" : std::move(words));
        return false;
    };
    // A wildcard may stand for the last parts: "arn:aws:s3:*".
    std::string whole = text;
    bool open = !text.empty() && text.back() == '*';
    for (auto parts = std::count(text.begin(), text.end(), ':'); open && parts < 5; ++parts)
        whole += ":*";
    auto arn = split_arn(whole);
    if (!arn) {
        return refuse("the resource " + json::quoted(text) +
                          " must be an ARN, such as "
                          "\"arn:aws:s3:::bucket/*\", or \"*\"",
                      "Resource " + text + " must be in ARN format or \"*\".");
    }
    auto fixed = [](std::string_view part) { return part.find_first_of("*?$") == std::string_view::npos; };
    if (arn->partition != "aws" && arn->partition.substr(0, 4) != "aws-") {
        return refuse(
            "the resource " + json::quoted(text) + " must begin with \"arn:aws:\"",
            "Partition \"" + std::string(arn->partition) + "\" is not valid for resource \"" + text + "\".");
    }
    if (!fixed(arn->partition) || arn->service.empty() || !fixed(arn->service)) {
        return refuse("the resource " + json::quoted(text) + " must name its service without wildcards",
                      "Resource vendor must be fully qualified and cannot contain regexes.");
    }
    return true;
}

// A value of a condition: a text, or a number or boolean without quotes.
std::optional<std::string> condition_text(Draft& draft, const Spot& spot) {
    if (spot.value.is_number() || spot.value.is_bool()) return boost::json::serialize(spot.value);
    return read_text(draft, spot, "the value of a condition");
}

void read_operand(Draft& draft, const Spot& spot, Condition& condition) {
    auto text = condition_text(draft, spot);
    if (!text) return;
    auto operand = parse_operand(condition.op, *text, draft.document.has_variables);
    if (!operand) {
        report(draft, spot.pointer, condition.operator_name + ": " + operand.error().message,
               Complaint::syntax, syntax_words(draft.document.kind));
        return;
    }
    condition.operands.push_back(std::move(*operand));
    condition.operand_texts.push_back(std::move(*text));
}

void read_key(Draft& draft, std::string_view key, const Spot& spot, Condition condition,
              Statement& statement) {
    if (key.find(':') == std::string_view::npos || key.size() > draft.limits.text_bytes_max) {
        report(draft, spot.pointer,
               "the condition key " + json::quoted(key) + " names no service, such as \"aws:\" or \"s3:\"",
               Complaint::action,
               "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
        return;
    }
    condition.key_name = std::string(key);
    condition.key = lower_case(key);
    const auto* list = spot.value.if_array();
    if (list && list->size() > draft.limits.values_max) {
        report(draft, spot.pointer,
               "the condition has more than " + std::to_string(draft.limits.values_max) + " values",
               Complaint::syntax, syntax_words(draft.document.kind));
        return;
    }
    if (!list) read_operand(draft, spot, condition);
    for (std::size_t i = 0; list && i < list->size(); ++i)
        read_operand(draft, {(*list)[i], json::below(spot.pointer, i)}, condition);
    statement.conditions.push_back(std::move(condition));
}

}  // namespace

void read_principals(Draft& draft, const Spot& spot, bool is_not, Statement& statement) {
    statement.principals.is_not = is_not;
    auto& named = statement.principals.named;
    if (spot.value.is_string() && spot.value.get_string() == "*") {
        named.push_back({PrincipalKind::aws, "*", ""});
        return;
    }
    const auto* map = spot.value.if_object();
    if (!map || map->empty()) {
        auto shown = spot.value.is_string() ? std::string(spot.value.get_string()) : std::string();
        report_principal(draft, spot.pointer, "AWS", shown);
        return;
    }
    refuse_unknown(draft, *map, spot.pointer, {"AWS", "Federated", "Service", "CanonicalUser"});
    for (const auto& [name, kind] : principal_names) {
        const auto* given = map->if_contains(name);
        if (!given) continue;
        auto pointer = json::below(spot.pointer, name);
        if (given->is_array() && given->get_array().empty()) report_principal(draft, pointer, name, "");
        for (const auto& value : read_texts(draft, {*given, pointer}, "a principal")) {
            auto principal = parse_principal(kind, value.text);
            if (principal) {
                named.push_back(std::move(*principal));
            } else {
                report_principal(draft, value.pointer, name, value.text);
            }
        }
    }
}

void read_actions(Draft& draft, const Spot& spot, Statement& statement) {
    for (const auto& action : read_texts(draft, spot, "an action")) {
        if (!is_action(draft, action)) continue;
        auto pattern = compile(action.text, {.variables = false, .lower_case = true});
        ASSERT(pattern);
        statement.actions.push_back(std::move(*pattern));
    }
}

void read_resources(Draft& draft, const Spot& spot, Statement& statement) {
    for (const auto& resource : read_texts(draft, spot, "a resource")) {
        if (!is_resource(draft, resource)) continue;
        auto pattern = compile(resource.text, {.variables = draft.document.has_variables});
        if (pattern) {
            statement.resources.push_back(std::move(*pattern));
        } else {
            report(draft, resource.pointer, pattern.error().message, Complaint::syntax,
                   syntax_words(draft.document.kind));
        }
    }
}

void read_conditions(Draft& draft, const Spot& spot, Statement& statement) {
    auto words = syntax_words(draft.document.kind);
    const auto* operators = spot.value.if_object();
    if (!operators) {
        report(draft, spot.pointer,
               "Condition must be an object of operators, not " + std::string(name_of(spot.value)),
               Complaint::syntax, words);
        return;
    }
    for (const auto& member : *operators) {
        std::string name(member.key());
        auto pointer = json::below(spot.pointer, name);
        auto op = parse_operator(name);
        if (!op) {
            report(draft, pointer, json::quoted(name) + ": " + op.error().message, Complaint::syntax, words);
            continue;
        }
        const auto* keys = member.value().if_object();
        if (!keys) {
            report(draft, pointer,
                   name + " must have an object of context keys, not " + std::string(name_of(member.value())),
                   Complaint::syntax, words);
            continue;
        }
        for (const auto& key : *keys) {
            Condition condition{.operator_name = name, .op = *op};
            read_key(draft, key.key(), {key.value(), json::below(pointer, key.key())}, std::move(condition),
                     statement);
        }
    }
}

}  // namespace integreat::policy
