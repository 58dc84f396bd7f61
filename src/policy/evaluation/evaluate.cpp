// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluation/evaluate.h"

#include <algorithm>

#include "policy/document/arn.h"
#include "policy/document/wildcard.h"

namespace integreat::policy {

namespace {

// What the policies of one layer say.
struct Finding {
    std::optional<Deciding> deny;
    std::optional<Deciding> allow;  // The one that names the caller most directly.
    Naming naming = Naming::none;
};

// A document without principals would be about everyone if it got to where principals are required.
DocumentKind kind_of(Layer layer) {
    if (layer == Layer::resource) return DocumentKind::resource;
    return layer == Layer::trust ? DocumentKind::trust : DocumentKind::identity;
}

Finding look(Layer layer, std::span<const Attached> policies, const Request& request,
             std::string_view lower_action) {
    Finding finding;
    for (const auto& policy : policies) {
        ASSERT(policy.document && policy.document->kind == kind_of(layer));
        for (const auto& statement : policy.document->statements) {
            bool denies = statement.effect == Effect::deny;
            if (denies ? finding.deny.has_value() : finding.naming == Naming::exact) continue;
            auto naming = applies(statement, request, lower_action);
            if (naming == Naming::none) continue;
            if (denies) {
                finding.deny = Deciding{layer, &policy, &statement};
            } else if (naming > finding.naming) {
                finding.allow = Deciding{layer, &policy, &statement};
                finding.naming = naming;
            }
        }
    }
    return finding;
}

std::string_view owner_of(const Request& request) {
    if (!request.resource_account.empty()) return request.resource_account;
    auto arn = split_arn(request.resource);
    return arn && is_account_id(arn->account) ? arn->account : std::string_view(request.caller.account);
}

Decision allow(std::optional<Deciding> deciding, bool is_cross_account) {
    return {.allowed = true,
            .reason = Reason::allowed,
            .deciding = deciding,
            .missing = {},
            .is_cross_account = is_cross_account};
}

struct Findings {
    Finding identity, resource, session, boundary;
};

// The layers that would have to allow and do not.
std::vector<Layer> missing_layers(const Request& request, const Policies& policies, const Findings& found,
                                  bool is_cross_account, bool is_trust) {
    std::vector<Layer> missing;
    auto resource_layer = is_trust ? Layer::trust : Layer::resource;
    if (is_without_account(request.caller)) {
        if (found.resource.naming != Naming::exact) missing.push_back(resource_layer);
        return missing;
    }
    bool is_root = request.caller.kind == CallerKind::root;
    // Without an Allow of its own a session may live on one for its role, within the role's limits.
    bool by_resource = !is_cross_account && found.resource.naming >= Naming::source;
    if (!is_root && !found.identity.allow && !by_resource) missing.push_back(Layer::identity);
    if ((is_cross_account || is_trust) && !found.resource.allow) missing.push_back(resource_layer);
    if (is_root) return missing;
    if (!policies.boundary.empty() && !found.boundary.allow) missing.push_back(Layer::boundary);
    bool has_session = !policies.session.empty() || request.caller.kind == CallerKind::federated_user;
    if (has_session && !found.session.allow) missing.push_back(Layer::session);
    return missing;
}

Decision decide(const Request& request, const Policies& policies, bool is_trust) {
    auto lower_action = lower_case(request.action);
    auto resource_layer = is_trust ? Layer::trust : Layer::resource;
    Findings found{look(Layer::identity, policies.identity, request, lower_action),
                   look(resource_layer, policies.resource, request, lower_action),
                   look(Layer::session, policies.session, request, lower_action),
                   look(Layer::boundary, policies.boundary, request, lower_action)};
    bool is_cross_account =
        !is_without_account(request.caller) && owner_of(request) != request.caller.account;
    for (const auto* finding : {&found.identity, &found.resource, &found.boundary, &found.session}) {
        if (!finding->deny) continue;
        return {.allowed = false,
                .reason = Reason::explicit_deny,
                .deciding = finding->deny,
                .missing = {},
                .is_cross_account = is_cross_account};
    }
    if (found.resource.naming == Naming::exact && !is_cross_account)
        return allow(found.resource.allow, false);
    auto missing = missing_layers(request, policies, found, is_cross_account, is_trust);
    if (missing.empty()) {
        return allow(found.identity.allow ? found.identity.allow : found.resource.allow, is_cross_account);
    }
    return {.allowed = false,
            .reason = Reason::implicit_deny,
            .deciding = std::nullopt,
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

bool names_action(const Statement& statement, std::string_view lower_action) {
    bool named = std::any_of(statement.actions.begin(), statement.actions.end(), [&](const Pattern& action) {
        return matches(std::string_view(action.text), lower_action);
    });
    return named != statement.is_not_action;
}

bool names_resource(const Statement& statement, const Request& request) {
    if (statement.resources.empty()) return true;  // A trust policy is about its role.
    bool named = std::any_of(
        statement.resources.begin(), statement.resources.end(),
        [&](const Pattern& resource) { return matches(resource, request.resource, request.context); });
    return named != statement.is_not_resource;
}

Naming applies(const Statement& statement, const Request& request, std::string_view lower_action) {
    if (!names_action(statement, lower_action) || !names_resource(statement, request)) return Naming::none;
    bool has_principals = statement.principals.is_not || !statement.principals.named.empty();
    auto naming = has_principals ? naming_of(statement.principals, request.caller) : Naming::exact;
    if (naming == Naming::none) return naming;
    bool hold = std::all_of(statement.conditions.begin(), statement.conditions.end(),
                            [&](const Condition& condition) { return holds(condition, request.context); });
    return hold ? naming : Naming::none;
}

std::span<const Attached> policies_of(const Policies& policies, Layer layer) {
    switch (layer) {
        case Layer::identity: return policies.identity;
        case Layer::session: return policies.session;
        case Layer::boundary: return policies.boundary;
        case Layer::resource:
        case Layer::trust: break;
    }
    return policies.resource;
}

std::string_view name_of(Layer layer) {
    switch (layer) {
        case Layer::identity: return "identity-based policy";
        case Layer::resource: return "resource-based policy";
        case Layer::session: return "session policy";
        case Layer::boundary: return "permissions boundary";
        case Layer::trust: return "trust policy";
    }
    return "policy";
}

}  // namespace integreat::policy
