// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluation/explain.h"

#include "base/text/ascii.h"
#include "json/document/node.h"

namespace integreat::policy {

namespace {

constexpr std::size_t near_misses_max = 3;
constexpr std::size_t values_shown_max = 5;

std::string format_list(const std::vector<std::string>& values) {
    std::string text;
    for (std::size_t i = 0; i < values.size() && i < values_shown_max; ++i)
        text += (i == 0 ? "" : ", ") + json::quoted(values[i]);
    if (values.size() > values_shown_max) text += ", …";
    return text;
}

std::string caller_name(const Caller& caller) {
    if (!caller.arn.empty()) return caller.arn;
    auto kind = std::string(caller_kind_name(caller.kind));
    return caller.provider.empty() ? kind : kind + " (" + caller.provider + ")";
}

std::string format_request(const Request& request) {
    return request.action + " on " + (request.resource.empty() ? "*" : request.resource);
}

std::string statement_name(const MatchedStatement& matched) {
    return statement_label(*matched.statement) + " of the " +
           std::string(policy_type_name(matched.policy_type)) + " " + json::quoted(matched.policy->name);
}

// Returns the element because of which the statement does not apply.
std::string mismatch(const Statement& statement, const Request& request) {
    bool has_principals = statement.principals.is_not || !statement.principals.entries.empty();
    if (has_principals && match_principals(statement.principals, request.caller) == PrincipalMatch::none) {
        return "its Principal does not include " + caller_name(request.caller);
    }
    for (const auto& condition : statement.conditions)
        if (!holds(condition, request.context)) return "its condition " + explain(condition, request.context);
    return "";
}

// Lists statements that allow the action and the resource but do not apply because of principals or
// conditions; if there are none, statements that allow the action on other resources.
std::string near_misses(const Request& request, const Policies& policies, PolicyType type) {
    auto lower_action = to_lower(request.action);
    std::string nearest, elsewhere;
    std::size_t count = 0;
    for (const auto& policy : policies_of_type(policies, type)) {
        for (const auto& statement : policy.document->statements) {
            if (statement.effect != Effect::allow || !matches_action(statement, lower_action)) continue;
            auto name = statement_name({type, &policy, &statement});
            name[0] = 'S';
            if (!matches_resource(statement, request)) {
                std::vector<std::string> resources;
                for (const auto& resource : statement.resources)
                    resources.push_back(resource.source);
                elsewhere = " " + name + " allows this action, but " +
                            (statement.is_not_resource ? "not on " : "only on ") + format_list(resources) +
                            ".";
                continue;
            }
            auto reason = mismatch(statement, request);
            if (reason.empty() || ++count > near_misses_max) continue;
            nearest += " " + name + " would allow it, but " + reason + ".";
        }
    }
    return nearest.empty() ? elsewhere : nearest;
}

std::string explain_implicit(const Request& request, const Policies& policies, const Decision& decision) {
    std::string text;
    for (auto type : decision.missing) {
        text += text.empty() ? "Denied: no " : ", and no ";
        text += policy_type_name(type);
        if (type == PolicyType::identity) text += " of " + caller_name(request.caller);
        text += " allows " + (decision.missing.front() == type ? format_request(request) : std::string("it"));
    }
    text += ".";
    if (decision.is_cross_account) {
        text += " The caller belongs to account " + request.caller.account +
                " and the resource to another one: the policies of both sides must allow it.";
    }
    for (auto type : decision.missing)
        text += near_misses(request, policies, type);
    return text;
}

std::string explain_allowed(const Request& request, const Decision& decision) {
    if (decision.determining_statement) {
        return "Allowed: " + statement_name(*decision.determining_statement) + " allows " +
               format_request(request) + ".";
    }
    return "Allowed: the root user of account " + request.caller.account +
           " may do everything in it that no policy denies.";
}

// Returns the policy type with its article, as AWS writes it.
std::string policy_type_with_article(PolicyType type) {
    auto name = std::string(policy_type_name(type));
    if (type == PolicyType::trust) return "the role trust policy";
    return (type == PolicyType::identity ? "an " : "a ") + name;
}

}  // namespace

std::string explain(const Request& request, const Policies& policies, const Decision& decision) {
    if (decision.allowed) return explain_allowed(request, decision);
    if (decision.reason == Reason::implicit_deny) return explain_implicit(request, policies, decision);
    return "Denied: " + statement_name(*decision.determining_statement) + " denies " +
           format_request(request) + " to " + caller_name(request.caller) + ". A Deny wins over every Allow.";
}

std::string explain(const Condition& condition, const Context& context) {
    auto text = condition.operator_name + " on " + condition.key_name + " requires ";
    const auto* values = find(context, condition.key);
    if (condition.op.family == Family::null) {
        text += std::get<bool>(condition.operands.empty() ? Operand(true) : condition.operands[0])
                    ? "it to be absent"
                    : "it to be present";
    } else {
        text += (condition.op.negated ? "none of " : "") + format_list(condition.operand_texts);
    }
    if (!values) return text + ", and the request has no such key";
    text += ", and the request has " + format_list(*values);
    bool is_plain = condition.op.quantifier == Quantifier::one && condition.op.family != Family::null;
    if (values->size() > 1 && is_plain && !condition.op.negated) {
        text += " (several values require ForAnyValue: or ForAllValues:)";
    }
    return text;
}

std::string access_denied_message(const Request& request, const Decision& decision) {
    ASSERT(!decision.allowed);
    if (request.caller.kind == CallerKind::web_identity) return "Not authorized to perform " + request.action;
    // S3 quotes the resource, other services do not.
    bool is_s3 = to_lower(request.action).substr(0, 3) == "s3:";
    auto resource = is_s3 ? "\"" + request.resource + "\"" : request.resource;
    auto user = request.caller.arn.empty() ? std::string("anonymous") : request.caller.arn;
    auto message =
        "User: " + user + " is not authorized to perform: " + request.action + " on resource: " + resource;
    if (decision.reason == Reason::explicit_deny) {
        return message + " with an explicit deny in " +
               policy_type_with_article(decision.determining_statement->policy_type);
    }
    if (decision.missing.front() == PolicyType::trust) return message;
    return message + " because no " + std::string(policy_type_name(decision.missing.front())) +
           " allows the " + request.action + " action";
}

}  // namespace integreat::policy
