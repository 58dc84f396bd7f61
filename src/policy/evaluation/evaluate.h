// SPDX-License-Identifier: Apache-2.0
// Policy evaluation ("Policy evaluation logic", "Cross-account policy evaluation logic" of the IAM user
// guide). An applicable Deny anywhere wins. Within one account, an Allow of an identity policy or of the
// resource's policy is sufficient, but a permissions boundary and session policies, if there are any, must
// allow too; they do not limit a resource policy that names the user or the session itself, or everyone.
// Across accounts both sides must allow. The order of policies and statements affects only which of several
// statements is reported.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/document/caller.h"
#include "policy/document/context.h"
#include "policy/document/document.h"

namespace integreat::policy {

enum class PolicyType { identity, resource, session, boundary, trust };

// A document and the name of the policy, for messages: "TenantUserRoleDefaultPolicy".
struct AttachedPolicy {
    std::string name;
    std::shared_ptr<const Document> document;
};

// The policies that apply to a request. Empty `session` or `boundary` means that there are none, not that
// they are empty; only the session of a federated_user has no permissions without session policies.
struct Policies {
    std::span<const AttachedPolicy> identity;
    std::span<const AttachedPolicy> resource;
    std::span<const AttachedPolicy> session;
    std::span<const AttachedPolicy> boundary;
};

struct Request {
    Caller caller;
    std::string action;            // "s3:GetObject"; case-insensitive.
    std::string resource;          // "arn:aws:s3:::bucket/key"
    std::string resource_account;  // Owner; if empty, the account in the ARN, or else the caller's.
    Context context;
};

enum class Reason { allowed, explicit_deny, implicit_deny };

// A statement that applies, with its policy. Points into the evaluated policies.
struct MatchedStatement {
    PolicyType policy_type = PolicyType::identity;
    const AttachedPolicy* policy = nullptr;
    const Statement* statement = nullptr;
};

struct Decision {
    bool allowed = false;
    Reason reason = Reason::implicit_deny;
    // The statement that allowed or denied. Absent for an implicit deny, and for an allowed root user of an
    // account.
    std::optional<MatchedStatement> determining_statement;
    std::vector<PolicyType> missing;  // For an implicit deny: the types whose Allow is missing.
    bool is_cross_account = false;
};

Decision evaluate(const Request& request, const Policies& policies);

// Evaluates assuming a role. `request.action` is sts:AssumeRole, sts:AssumeRoleWithWebIdentity, …,
// `request.resource` the ARN of the role, and `policies.resource` its trust policy, which always must allow,
// also within one account.
Decision evaluate_trust(const Request& request, const Policies& policies);

// Returns whether and how the statement applies to the request, considering all its elements; `none` if it
// does not. In policies without principals the result is `exact`.
PrincipalMatch match_statement(const Statement& statement, const Request& request,
                               std::string_view lower_action);

// Parts of match_statement: only the action, only the resource.
bool matches_action(const Statement& statement, std::string_view lower_action);
bool matches_resource(const Statement& statement, const Request& request);

std::span<const AttachedPolicy> policies_of_type(const Policies& policies, PolicyType type);

// Returns AWS's term: "identity-based policy".
std::string_view policy_type_name(PolicyType type);

}  // namespace integreat::policy
