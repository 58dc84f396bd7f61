// SPDX-License-Identifier: Apache-2.0
#include "policy/document/elements.h"

#include <algorithm>
#include <array>

#include <boost/json/serialize.hpp>

#include "base/text/ascii.h"
#include "json/document/node.h"
#include "policy/document/arn.h"

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

void report_principal(ParseContext& context, std::string pointer, std::string_view kind,
                      std::string_view text) {
    auto aws_message = std::string("Invalid principal in policy");
    if (context.document.kind == DocumentKind::trust) {
        aws_message += ": \"" + std::string(kind) + "\":\"" + std::string(text) + "\"";
    }
    report(context, std::move(pointer),
           json::quoted(text) +
               " is not a principal: use an account ID, the ARN of a user, a role or a session "
               "(without wildcards), a provider, a service, or \"*\"",
           ErrorKind::principal, std::move(aws_message));
}

void report_action(ParseContext& context, const TextValue& action, std::string message,
                   std::string aws_message) {
    if (context.document.kind == DocumentKind::resource) aws_message = "Policy has invalid action";
    report(context, action.pointer, std::move(message), ErrorKind::action, std::move(aws_message));
}

bool is_vendor(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '-' || c == '.'; });
}

// Checks an action: "*" or "vendor:name", the name with wildcards.
bool check_action(ParseContext& context, const TextValue& action) {
    std::string_view text = action.text;
    if (text == "*") return true;
    auto colon = text.find(':');
    if (colon == std::string_view::npos) {
        report_action(context, action,
                      "the action " + json::quoted(text) + " has no service prefix, such as \"s3:\"",
                      "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
        return false;
    }
    if (text.find(':', colon + 1) != std::string_view::npos) {
        report_action(context, action, "the action " + json::quoted(text) + " has more than one colon",
                      "Actions/Condition can contain only one colon.");
        return false;
    }
    auto vendor = text.substr(0, colon);
    if (!is_vendor(vendor)) {
        report_action(
            context, action,
            "the action " + json::quoted(text) + " must have a service without wildcards before the colon",
            "Vendor " + std::string(vendor) + " is not valid");
        return false;
    }
    if (context.document.kind == DocumentKind::trust && to_lower(vendor) != "sts") {
        report_action(context, action,
                      "a trust policy must have actions of STS only, not " + json::quoted(text),
                      "AssumeRole policy may only specify STS AssumeRole actions.");
        return false;
    }
    return true;
}

// Checks a resource: "*" or an ARN whose partition and service have no wildcards.
bool check_resource(ParseContext& context, const TextValue& resource) {
    const auto& text = resource.text;
    if (text == "*") return true;
    bool bucket = context.document.kind == DocumentKind::resource;
    auto fail = [&](std::string message, std::string aws_message) {
        report(context, resource.pointer, std::move(message), ErrorKind::resource,
               bucket ? "Policy has invalid resource" : std::move(aws_message));
        return false;
    };
    // A trailing wildcard may replace the last parts: "arn:aws:s3:*".
    std::string whole = text;
    bool open = !text.empty() && text.back() == '*';
    for (auto parts = std::count(text.begin(), text.end(), ':'); open && parts < 5; ++parts)
        whole += ":*";
    auto arn = split_arn(whole);
    if (!arn) {
        return fail("the resource " + json::quoted(text) +
                        " must be an ARN, such as "
                        "\"arn:aws:s3:::bucket/*\", or \"*\"",
                    "Resource " + text + " must be in ARN format or \"*\".");
    }
    auto fixed = [](std::string_view part) { return part.find_first_of("*?$") == std::string_view::npos; };
    if (arn->partition != "aws" && arn->partition.substr(0, 4) != "aws-") {
        return fail(
            "the resource " + json::quoted(text) + " must begin with \"arn:aws:\"",
            "Partition \"" + std::string(arn->partition) + "\" is not valid for resource \"" + text + "\".");
    }
    if (!fixed(arn->partition) || arn->service.empty() || !fixed(arn->service)) {
        return fail("the resource " + json::quoted(text) + " must name its service without wildcards",
                    "Resource vendor must be fully qualified and cannot contain regexes.");
    }
    return true;
}

// Returns a value of a condition as text: a string, a number or a boolean.
std::optional<std::string> to_text(ParseContext& context, const ValueLocation& location) {
    if (location.value.is_number() || location.value.is_bool()) return boost::json::serialize(location.value);
    return parse_text(context, location, "the value of a condition");
}

void parse_condition_value(ParseContext& context, const ValueLocation& location, Condition& condition) {
    auto text = to_text(context, location);
    if (!text) return;
    auto operand = parse_operand(condition.op, *text, context.document.has_variables);
    if (!operand) {
        report(context, location.pointer, condition.operator_name + ": " + operand.error().message,
               ErrorKind::syntax, aws_syntax_error(context.document.kind));
        return;
    }
    condition.operands.push_back(std::move(*operand));
    condition.operand_texts.push_back(std::move(*text));
}

void parse_condition_key(ParseContext& context, std::string_view key, const ValueLocation& location,
                         Condition condition, Statement& statement) {
    if (key.find(':') == std::string_view::npos || key.size() > context.limits.text_bytes_max) {
        report(
            context, location.pointer,
            "the condition key " + json::quoted(key) + " has no service prefix, such as \"aws:\" or \"s3:\"",
            ErrorKind::action, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
        return;
    }
    condition.key_name = std::string(key);
    condition.key = to_lower(key);
    const auto* list = location.value.if_array();
    if (list && list->size() > context.limits.values_max) {
        report(context, location.pointer,
               "the condition has more than " + std::to_string(context.limits.values_max) + " values",
               ErrorKind::syntax, aws_syntax_error(context.document.kind));
        return;
    }
    if (!list) parse_condition_value(context, location, condition);
    for (std::size_t i = 0; list && i < list->size(); ++i)
        parse_condition_value(context, {(*list)[i], json::append_pointer(location.pointer, i)}, condition);
    statement.conditions.push_back(std::move(condition));
}

}  // namespace

void parse_principals(ParseContext& context, const ValueLocation& location, bool is_not,
                      Statement& statement) {
    statement.principals.is_not = is_not;
    auto& entries = statement.principals.entries;
    if (location.value.is_string() && location.value.get_string() == "*") {
        entries.push_back({PrincipalKind::aws, "*", ""});
        return;
    }
    const auto* map = location.value.if_object();
    if (!map || map->empty()) {
        auto text = location.value.is_string() ? std::string(location.value.get_string()) : std::string();
        report_principal(context, location.pointer, "AWS", text);
        return;
    }
    report_unknown_elements(context, *map, location.pointer,
                            {"AWS", "Federated", "Service", "CanonicalUser"});
    for (const auto& [name, kind] : principal_names) {
        const auto* values = map->if_contains(name);
        if (!values) continue;
        auto pointer = json::append_pointer(location.pointer, name);
        if (values->is_array() && values->get_array().empty()) report_principal(context, pointer, name, "");
        for (const auto& value : parse_texts(context, {*values, pointer}, "a principal")) {
            auto principal = parse_principal(kind, value.text);
            if (principal) {
                entries.push_back(std::move(*principal));
            } else {
                report_principal(context, value.pointer, name, value.text);
            }
        }
    }
}

void parse_actions(ParseContext& context, const ValueLocation& location, Statement& statement) {
    for (const auto& action : parse_texts(context, location, "an action")) {
        if (!check_action(context, action)) continue;
        auto pattern = compile(action.text, {.variables = false, .ignore_case = true});
        ASSERT(pattern);
        statement.actions.push_back(std::move(*pattern));
    }
}

void parse_resources(ParseContext& context, const ValueLocation& location, Statement& statement) {
    for (const auto& resource : parse_texts(context, location, "a resource")) {
        if (!check_resource(context, resource)) continue;
        auto pattern = compile(resource.text, {.variables = context.document.has_variables});
        if (pattern) {
            statement.resources.push_back(std::move(*pattern));
        } else {
            report(context, resource.pointer, pattern.error().message, ErrorKind::syntax,
                   aws_syntax_error(context.document.kind));
        }
    }
}

void parse_conditions(ParseContext& context, const ValueLocation& location, Statement& statement) {
    auto aws_message = aws_syntax_error(context.document.kind);
    const auto* operators = location.value.if_object();
    if (!operators) {
        report(context, location.pointer,
               "Condition must be an object of operators, not " + std::string(json_type_name(location.value)),
               ErrorKind::syntax, aws_message);
        return;
    }
    for (const auto& member : *operators) {
        std::string name(member.key());
        auto pointer = json::append_pointer(location.pointer, name);
        auto op = parse_operator(name);
        if (!op) {
            report(context, pointer, json::quoted(name) + ": " + op.error().message, ErrorKind::syntax,
                   aws_message);
            continue;
        }
        const auto* keys = member.value().if_object();
        if (!keys) {
            report(context, pointer,
                   name + " must have an object of context keys, not " +
                       std::string(json_type_name(member.value())),
                   ErrorKind::syntax, aws_message);
            continue;
        }
        for (const auto& key : *keys) {
            Condition condition{.operator_name = name, .op = *op};
            parse_condition_key(context, key.key(), {key.value(), json::append_pointer(pointer, key.key())},
                                std::move(condition), statement);
        }
    }
}

}  // namespace integreat::policy
