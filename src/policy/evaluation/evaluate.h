// SPDX-License-Identifier: Apache-2.0
// May this caller do this? AWS's evaluation logic ("Policy evaluation logic", "Cross-account policy
// evaluation logic" of the IAM user guide): a Deny that applies anywhere wins. Within one account an Allow of
// an identity policy or of the resource's policy is enough, but permission boundary and session policies, if
// there are any, must allow too; they do not limit a resource policy that names the user or the session
// itself, or everyone. Across accounts both sides must allow. The order of policies and of statements
// decides nothing but which of several statements is named as the deciding one.
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

enum class Layer { identity, resource, session, boundary, trust };

// A document where it is attached; the name is for people: "TenantUserRoleDefaultPolicy".
struct Attached {
    std::string name;
    std::shared_ptr<const Document> document;
};

// What applies to a request. Empty `session` or `boundary` means that there are none, not that they are
// empty; only the session of a federated_user has no permissions without session policies.
struct Policies {
    std::span<const Attached> identity;
    std::span<const Attached> resource;
    std::span<const Attached> session;
    std::span<const Attached> boundary;
};

struct Request {
    Caller caller;
    std::string action;            // "s3:GetObject"; its case does not matter.
    std::string resource;          // "arn:aws:s3:::bucket/key"
    std::string resource_account;  // Who owns it; if empty that of the ARN, or else that of the caller.
    Context context;
};

enum class Reason { allowed, explicit_deny, implicit_deny };

// Where a statement stands. Points into the policies that were evaluated.
struct Deciding {
    Layer layer = Layer::identity;
    const Attached* policy = nullptr;
    const Statement* statement = nullptr;
};

struct Decision {
    bool allowed = false;
    Reason reason = Reason::implicit_deny;
    // The statement that allowed or denied. None of an implicit deny, and none where the root user of an
    // account is allowed because it is.
    std::optional<Deciding> deciding;
    std::vector<Layer> missing;  // Of an implicit deny: the layers that would each have had to allow it.
    bool is_cross_account = false;
};

Decision evaluate(const Request& request, const Policies& policies);

// May the caller assume the role? `request.action` is sts:AssumeRole, sts:AssumeRoleWithWebIdentity, …, and
// `request.resource` the ARN of the role; `policies.resource` is its trust policy, which always must allow:
// in the same account too, an identity policy alone opens no role.
Decision evaluate_trust(const Request& request, const Policies& policies);

// Does the statement apply, all its elements considered? `none`: it does not. In policies without
// principals a statement that applies is `exact`.
Naming applies(const Statement& statement, const Request& request, std::string_view lower_action);

// Parts of that, for whoever explains: the action and the resource, regardless of principals and conditions.
bool names_action(const Statement& statement, std::string_view lower_action);
bool names_resource(const Statement& statement, const Request& request);

// The policies of a layer.
std::span<const Attached> policies_of(const Policies& policies, Layer layer);

// "identity-based policy": what AWS calls a layer.
std::string_view name_of(Layer layer);

}  // namespace integreat::policy
