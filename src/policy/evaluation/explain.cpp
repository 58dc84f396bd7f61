// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluation/explain.h"

#include "json/document/node.h"
#include "policy/document/wildcard.h"

namespace integreat::policy {

namespace {

constexpr std::size_t close_calls_max = 3;
constexpr std::size_t values_shown_max = 5;

std::string listed(const std::vector<std::string>& values) {
    std::string text;
    for (std::size_t i = 0; i < values.size() && i < values_shown_max; ++i)
        text += (i == 0 ? "" : ", ") + json::quoted(values[i]);
    if (values.size() > values_shown_max) text += ", …";
    return text;
}

std::string who(const Caller& caller) {
    if (!caller.arn.empty()) return caller.arn;
    auto kind = std::string(name_of(caller.kind));
    return caller.provider.empty() ? kind : kind + " (" + caller.provider + ")";
}

std::string asked(const Request& request) {
    return request.action + " on " + (request.resource.empty() ? "*" : request.resource);
}

std::string place(const Deciding& deciding) {
    return name_of(*deciding.statement) + " of the " + std::string(name_of(deciding.layer)) + " " +
           json::quoted(deciding.policy->name);
}

// The conditions that stood in the way, or that it is about others.
std::string obstacle(const Statement& statement, const Request& request) {
    bool has_principals = statement.principals.is_not || !statement.principals.named.empty();
    if (has_principals && naming_of(statement.principals, request.caller) == Naming::none) {
        return "its Principal does not name " + who(request.caller);
    }
    for (const auto& condition : statement.conditions)
        if (!holds(condition, request.context)) return "its condition " + explain(condition, request.context);
    return "";
}

// Statements that allow the action and the resource, had it not been for their principals or conditions;
// failing these, statements that allow the action elsewhere.
std::string close_calls(const Request& request, const Policies& policies, Layer layer) {
    auto lower_action = lower_case(request.action);
    std::string nearest, elsewhere;
    std::size_t count = 0;
    for (const auto& policy : policies_of(policies, layer)) {
        for (const auto& statement : policy.document->statements) {
            if (statement.effect != Effect::allow || !names_action(statement, lower_action)) continue;
            auto name = place({layer, &policy, &statement});
            name[0] = 'S';
            if (!names_resource(statement, request)) {
                std::vector<std::string> resources;
                for (const auto& resource : statement.resources)
                    resources.push_back(resource.source);
                elsewhere = " " + name + " allows this action, but " +
                            (statement.is_not_resource ? "not on " : "only on ") + listed(resources) + ".";
                continue;
            }
            auto reason = obstacle(statement, request);
            if (reason.empty() || ++count > close_calls_max) continue;
            nearest += " " + name + " would allow it, but " + reason + ".";
        }
    }
    return nearest.empty() ? elsewhere : nearest;
}

std::string explain_implicit(const Request& request, const Policies& policies, const Decision& decision) {
    std::string text;
    for (auto layer : decision.missing) {
        text += text.empty() ? "Denied: no " : ", and no ";
        text += name_of(layer);
        if (layer == Layer::identity) text += " of " + who(request.caller);
        text += " allows " + (decision.missing.front() == layer ? asked(request) : std::string("it"));
    }
    text += ".";
    if (decision.is_cross_account) {
        text += " The caller belongs to account " + request.caller.account +
                " and the resource to another one: the policies of both sides must allow it.";
    }
    for (auto layer : decision.missing)
        text += close_calls(request, policies, layer);
    return text;
}

std::string explain_allowed(const Request& request, const Decision& decision) {
    if (decision.deciding) {
        return "Allowed: " + place(*decision.deciding) + " allows " + asked(request) + ".";
    }
    return "Allowed: the root user of account " + request.caller.account +
           " may do everything there that no policy denies.";
}

// With the article, as AWS writes it.
std::string layer_words(Layer layer) {
    auto name = std::string(name_of(layer));
    if (layer == Layer::trust) return "the role trust policy";
    return (layer == Layer::identity ? "an " : "a ") + name;
}

}  // namespace

std::string explain(const Request& request, const Policies& policies, const Decision& decision) {
    if (decision.allowed) return explain_allowed(request, decision);
    if (decision.reason == Reason::implicit_deny) return explain_implicit(request, policies, decision);
    return "Denied: " + place(*decision.deciding) + " denies " + asked(request) + " to " +
           who(request.caller) + ". A Deny wins over every Allow.";
}

std::string explain(const Condition& condition, const Context& context) {
    auto text = condition.operator_name + " on " + condition.key_name + " wants ";
    const auto* values = find(context, condition.key);
    if (condition.op.family == Family::null) {
        text += std::get<bool>(condition.operands.empty() ? Operand(true) : condition.operands[0])
                    ? "it to be absent"
                    : "it to be present";
    } else {
        text += (condition.op.negated ? "none of " : "") + listed(condition.operand_texts);
    }
    if (!values) return text + ", and the request has no such key";
    text += ", and the request has " + listed(*values);
    bool is_plain = condition.op.quantifier == Quantifier::one && condition.op.family != Family::null;
    if (values->size() > 1 && is_plain && !condition.op.negated) {
        text += " (of several values it needs ForAnyValue: or ForAllValues:)";
    }
    return text;
}

std::string access_denied_message(const Request& request, const Decision& decision) {
    ASSERT(!decision.allowed);
    if (request.caller.kind == CallerKind::web_identity) return "Not authorized to perform " + request.action;
    // S3 puts the resource in quotes, the others do not.
    bool is_s3 = lower_case(request.action).substr(0, 3) == "s3:";
    auto resource = is_s3 ? "\"" + request.resource + "\"" : request.resource;
    auto user = request.caller.arn.empty() ? std::string("anonymous") : request.caller.arn;
    auto message =
        "User: " + user + " is not authorized to perform: " + request.action + " on resource: " + resource;
    if (decision.reason == Reason::explicit_deny) {
        return message + " with an explicit deny in " + layer_words(decision.deciding->layer);
    }
    if (decision.missing.front() == Layer::trust) return message;
    return message + " because no " + std::string(name_of(decision.missing.front())) + " allows the " +
           request.action + " action";
}

}  // namespace integreat::policy
