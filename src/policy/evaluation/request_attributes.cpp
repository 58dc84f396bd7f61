// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluation/request_attributes.h"

namespace integreat::policy {

namespace {

// A key that is new, its name in lower case: without the search that set() makes.
void put(Context& context, std::string name, std::string value) {
    auto& key = context.keys.emplace_back();
    key.name = std::move(name);
    key.values.push_back(std::move(value));
}

void put_if_known(Context& context, std::string_view name, const std::string& value) {
    if (!value.empty()) put(context, std::string(name), value);
}

void put_boolean(Context& context, std::string_view name, bool truth) {
    put(context, std::string(name), truth ? "true" : "false");
}

// The table "Principal key values" of the page on policy variables.
void put_caller(Context& context, const Caller& caller) {
    switch (caller.kind) {
        case CallerKind::anonymous: put(context, "aws:principaltype", "Anonymous"); break;
        case CallerKind::root: put(context, "aws:principaltype", "Account"); break;
        case CallerKind::user: put(context, "aws:principaltype", "User"); break;
        case CallerKind::role_session: put(context, "aws:principaltype", "AssumedRole"); break;
        case CallerKind::federated_user: put(context, "aws:principaltype", "FederatedUser"); break;
        case CallerKind::web_identity: break;
        case CallerKind::service: put(context, "aws:principalservicename", caller.provider); break;
    }
    put_if_known(context, "aws:userid", caller.kind == CallerKind::anonymous ? "anonymous" : caller.id);
    put_if_known(context, "aws:username", caller.name);
    put_if_known(context, "aws:principalaccount", caller.account);
    // Of a session it is the role's ARN: conditions name roles, not sessions.
    put_if_known(context, "aws:principalarn",
                 caller.kind == CallerKind::role_session ? caller.source_arn : caller.arn);
    for (const auto& [name, value] : caller.tags)
        add(context, "aws:principaltag/" + name, value);
}

}  // namespace

Context context_of(const Caller& caller, const Facts& facts) {
    Context context;
    context.keys.reserve(24);
    put_caller(context, caller);
    put(context, "aws:currenttime", format_rfc3339(facts.now));
    put(context, "aws:epochtime", std::to_string(unix_seconds(facts.now)));
    put_boolean(context, "aws:securetransport", facts.secure_transport);
    // Always there on AWS, so that a Deny on "Bool": {"aws:ViaAWSService": "false"} applies.
    put_boolean(context, "aws:viaawsservice", false);
    put_boolean(context, "aws:principalisawsservice", caller.kind == CallerKind::service);
    put_if_known(context, "aws:sourceip", facts.source_ip);
    put_if_known(context, "aws:useragent", facts.user_agent);
    put_if_known(context, "aws:referer", facts.referer);
    put_if_known(context, "aws:requestedregion", facts.requested_region);
    put_if_known(context, "aws:federatedprovider", facts.federated_provider);
    put_if_known(context, "aws:resourceaccount", facts.resource_account);
    if (facts.token_issued) put(context, "aws:tokenissuetime", format_rfc3339(*facts.token_issued));
    if (facts.mfa_present) put_boolean(context, "aws:multifactorauthpresent", *facts.mfa_present);
    if (const auto& web = facts.web_identity) {
        if (!web->audience.empty()) set(context, web->host + ":aud", web->audience);
        if (!web->subject.empty()) set(context, web->host + ":sub", web->subject);
        set(context, web->host + ":amr", web->methods);
    }
    for (const auto& [name, value] : facts.request_tags) {
        add(context, "aws:requesttag/" + name, value);
        add(context, "aws:tagkeys", name);
    }
    for (const auto& [name, value] : facts.resource_tags)
        add(context, "aws:resourcetag/" + name, value);
    return context;
}

}  // namespace integreat::policy
