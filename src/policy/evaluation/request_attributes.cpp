// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluation/request_attributes.h"

namespace integreat::policy {

namespace {

// Adds a new key with a name in lower case; unlike set(), does not search for it.
void put(Context& context, std::string name, std::string value) {
    auto& key = context.keys.emplace_back();
    key.name = std::move(name);
    key.values.push_back(std::move(value));
}

void put_if_known(Context& context, std::string_view name, const std::string& value) {
    if (!value.empty()) put(context, std::string(name), value);
}

void put_boolean(Context& context, std::string_view name, bool value) {
    put(context, std::string(name), value ? "true" : "false");
}

// Implements the table "Principal key values" of the page on policy variables.
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
    // For a session, the ARN of its role: conditions name roles, not sessions.
    put_if_known(context, "aws:principalarn",
                 caller.kind == CallerKind::role_session ? caller.source_arn : caller.arn);
    for (const auto& [name, value] : caller.tags)
        add(context, "aws:principaltag/" + name, value);
}

}  // namespace

Context make_context(const Caller& caller, const RequestAttributes& attributes) {
    Context context;
    context.keys.reserve(24);
    put_caller(context, caller);
    put(context, "aws:currenttime", format_rfc3339(attributes.now));
    put(context, "aws:epochtime", std::to_string(unix_seconds(attributes.now)));
    put_boolean(context, "aws:securetransport", attributes.secure_transport);
    // Always present on AWS, so that a Deny on "Bool": {"aws:ViaAWSService": "false"} applies.
    put_boolean(context, "aws:viaawsservice", false);
    put_boolean(context, "aws:principalisawsservice", caller.kind == CallerKind::service);
    put_if_known(context, "aws:sourceip", attributes.source_ip);
    put_if_known(context, "aws:useragent", attributes.user_agent);
    put_if_known(context, "aws:referer", attributes.referer);
    put_if_known(context, "aws:requestedregion", attributes.requested_region);
    put_if_known(context, "aws:federatedprovider", attributes.federated_provider);
    put_if_known(context, "aws:resourceaccount", attributes.resource_account);
    if (attributes.token_issued) put(context, "aws:tokenissuetime", format_rfc3339(*attributes.token_issued));
    if (attributes.mfa_present) put_boolean(context, "aws:multifactorauthpresent", *attributes.mfa_present);
    if (const auto& web = attributes.web_identity) {
        if (!web->audience.empty()) set(context, web->host + ":aud", web->audience);
        if (!web->subject.empty()) set(context, web->host + ":sub", web->subject);
        set(context, web->host + ":amr", web->methods);
    }
    for (const auto& [name, value] : attributes.request_tags) {
        add(context, "aws:requesttag/" + name, value);
        add(context, "aws:tagkeys", name);
    }
    for (const auto& [name, value] : attributes.resource_tags)
        add(context, "aws:resourcetag/" + name, value);
    return context;
}

}  // namespace integreat::policy
