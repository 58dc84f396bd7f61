// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluation/evaluate.h"

#include <algorithm>

#include "base/text/ascii.h"
#include "policy/document/arn.h"
#include "policy/document/wildcard.h"

namespace integreat::policy {

namespace {

// The result of the policies of one type.
struct TypeResult {
    std::optional<MatchedStatement> deny;
    std::optional<MatchedStatement> allow;  // The one that names the caller most directly.
    PrincipalMatch match = PrincipalMatch::none;
};

// Returns the kind of document required: without principals, a document would apply to everyone.
DocumentKind required_kind(PolicyType type) {
    if (type == PolicyType::resource) return DocumentKind::resource;
    return type == PolicyType::trust ? DocumentKind::trust : DocumentKind::identity;
}

TypeResult evaluate_type(PolicyType type, std::span<const AttachedPolicy> policies, const Request& request,
                         std::string_view lower_action) {
    TypeResult result;
    for (const auto& policy : policies) {
        ASSERT(policy.document && policy.document->kind == required_kind(type));
        for (const auto& statement : policy.document->statements) {
            bool denies = statement.effect == Effect::deny;
            if (denies ? result.deny.has_value() : result.match == PrincipalMatch::exact) continue;
            auto match = match_statement(statement, request, lower_action);
            if (match == PrincipalMatch::none) continue;
            if (denies) {
                result.deny = MatchedStatement{type, &policy, &statement};
            } else if (match > result.match) {
                result.allow = MatchedStatement{type, &policy, &statement};
                result.match = match;
            }
        }
    }
    return result;
}

std::string_view resource_owner(const Request& request) {
    if (!request.resource_account.empty()) return request.resource_account;
    auto arn = split_arn(request.resource);
    return arn && is_account_id(arn->account) ? arn->account : std::string_view(request.caller.account);
}

Decision allow(std::optional<MatchedStatement> statement, bool is_cross_account) {
    return {.allowed = true,
            .reason = Reason::allowed,
            .determining_statement = statement,
            .missing = {},
            .is_cross_account = is_cross_account};
}

struct TypeResults {
    TypeResult identity, resource, session, boundary;
};

// Returns the types whose Allow is required and missing.
std::vector<PolicyType> missing_types(const Request& request, const Policies& policies,
                                      const TypeResults& results, bool is_cross_account, bool is_trust) {
    std::vector<PolicyType> missing;
    auto resource_type = is_trust ? PolicyType::trust : PolicyType::resource;
    if (is_without_account(request.caller)) {
        if (results.resource.match != PrincipalMatch::exact) missing.push_back(resource_type);
        return missing;
    }
    bool is_root = request.caller.kind == CallerKind::root;
    // A session without an Allow of its own may use one for its role, within the role's limits.
    bool by_resource = !is_cross_account && results.resource.match >= PrincipalMatch::source;
    if (!is_root && !results.identity.allow && !by_resource) missing.push_back(PolicyType::identity);
    if ((is_cross_account || is_trust) && !results.resource.allow) missing.push_back(resource_type);
    if (is_root) return missing;
    if (!policies.boundary.empty() && !results.boundary.allow) missing.push_back(PolicyType::boundary);
    bool has_session = !policies.session.empty() || request.caller.kind == CallerKind::federated_user;
    if (has_session && !results.session.allow) missing.push_back(PolicyType::session);
    return missing;
}

Decision decide(const Request& request, const Policies& policies, bool is_trust) {
    auto lower_action = to_lower(request.action);
    auto resource_type = is_trust ? PolicyType::trust : PolicyType::resource;
    TypeResults results{evaluate_type(PolicyType::identity, policies.identity, request, lower_action),
                        evaluate_type(resource_type, policies.resource, request, lower_action),
                        evaluate_type(PolicyType::session, policies.session, request, lower_action),
                        evaluate_type(PolicyType::boundary, policies.boundary, request, lower_action)};
    bool is_cross_account =
        !is_without_account(request.caller) && resource_owner(request) != request.caller.account;
    for (const auto* result : {&results.identity, &results.resource, &results.boundary, &results.session}) {
        if (!result->deny) continue;
        return {.allowed = false,
                .reason = Reason::explicit_deny,
                .determining_statement = result->deny,
                .missing = {},
                .is_cross_account = is_cross_account};
    }
    if (results.resource.match == PrincipalMatch::exact && !is_cross_account)
        return allow(results.resource.allow, false);
    auto missing = missing_types(request, policies, results, is_cross_account, is_trust);
    if (missing.empty()) {
        return allow(results.identity.allow ? results.identity.allow : results.resource.allow,
                     is_cross_account);
    }
    return {.allowed = false,
            .reason = Reason::implicit_deny,
            .determining_statement = std::nullopt,
            .missing = std::move(missing),
            .is_cross_account = is_cross_account};
}

}  // namespace

Decision evaluate(const Request& request, const Policies& policies) {
    return decide(request, policies, false);
}

Decision evaluate_trust(const Request& request, const Policies& policies) {
    return decide(request, policies, true);
}

bool matches_action(const Statement& statement, std::string_view lower_action) {
    bool named = std::any_of(statement.actions.begin(), statement.actions.end(), [&](const Pattern& action) {
        return matches(std::string_view(action.text), lower_action);
    });
    return named != statement.is_not_action;
}

bool matches_resource(const Statement& statement, const Request& request) {
    if (statement.resources.empty()) return true;  // A trust policy applies to its role.
    bool named = std::any_of(
        statement.resources.begin(), statement.resources.end(),
        [&](const Pattern& resource) { return matches(resource, request.resource, request.context); });
    return named != statement.is_not_resource;
}

PrincipalMatch match_statement(const Statement& statement, const Request& request,
                               std::string_view lower_action) {
    if (!matches_action(statement, lower_action) || !matches_resource(statement, request))
        return PrincipalMatch::none;
    bool has_principals = statement.principals.is_not || !statement.principals.entries.empty();
    auto match =
        has_principals ? match_principals(statement.principals, request.caller) : PrincipalMatch::exact;
    if (match == PrincipalMatch::none) return match;
    bool satisfied =
        std::all_of(statement.conditions.begin(), statement.conditions.end(),
                    [&](const Condition& condition) { return holds(condition, request.context); });
    return satisfied ? match : PrincipalMatch::none;
}

std::span<const AttachedPolicy> policies_of_type(const Policies& policies, PolicyType type) {
    switch (type) {
        case PolicyType::identity: return policies.identity;
        case PolicyType::session: return policies.session;
        case PolicyType::boundary: return policies.boundary;
        case PolicyType::resource:
        case PolicyType::trust: break;
    }
    return policies.resource;
}

std::string_view policy_type_name(PolicyType type) {
    switch (type) {
        case PolicyType::identity: return "identity-based policy";
        case PolicyType::resource: return "resource-based policy";
        case PolicyType::session: return "session policy";
        case PolicyType::boundary: return "permissions boundary";
        case PolicyType::trust: return "trust policy";
    }
    return "policy";
}

}  // namespace integreat::policy
