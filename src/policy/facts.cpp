// SPDX-License-Identifier: Apache-2.0
#include "policy/facts.h"

namespace integreat::policy {

namespace {

void set_if_known(Context& context, std::string_view name, const std::string& value) {
    if (!value.empty()) set(context, name, value);
}

void set_boolean(Context& context, std::string_view name, bool truth) {
    set(context, name, std::string(truth ? "true" : "false"));
}

// The table "Principal key values" of the page on policy variables.
void set_caller(Context& context, const Caller& caller) {
    switch (caller.kind) {
        case CallerKind::anonymous: set(context, "aws:principaltype", std::string("Anonymous")); break;
        case CallerKind::root: set(context, "aws:principaltype", std::string("Account")); break;
        case CallerKind::user: set(context, "aws:principaltype", std::string("User")); break;
        case CallerKind::role_session: set(context, "aws:principaltype", std::string("AssumedRole")); break;
        case CallerKind::federated_user:
            set(context, "aws:principaltype", std::string("FederatedUser"));
            break;
        case CallerKind::web_identity: break;
        case CallerKind::service: set(context, "aws:principalservicename", caller.provider); break;
    }
    set_if_known(context, "aws:userid", caller.kind == CallerKind::anonymous ? "anonymous" : caller.id);
    set_if_known(context, "aws:username", caller.name);
    set_if_known(context, "aws:principalaccount", caller.account);
    // Of a session it is the role's ARN: conditions name roles, not sessions.
    set_if_known(context, "aws:principalarn",
                 caller.kind == CallerKind::role_session ? caller.source_arn : caller.arn);
    for (const auto& [name, value] : caller.tags)
        add(context, "aws:principaltag/" + name, value);
}

}  // namespace

Context context_of(const Caller& caller, const Facts& facts) {
    Context context;
    context.keys.reserve(24);
    set_caller(context, caller);
    set(context, "aws:currenttime", format_rfc3339(facts.now));
    set(context, "aws:epochtime", std::to_string(unix_seconds(facts.now)));
    set_boolean(context, "aws:securetransport", facts.secure_transport);
    set_if_known(context, "aws:sourceip", facts.source_ip);
    set_if_known(context, "aws:useragent", facts.user_agent);
    set_if_known(context, "aws:referer", facts.referer);
    set_if_known(context, "aws:requestedregion", facts.requested_region);
    set_if_known(context, "aws:federatedprovider", facts.federated_provider);
    set_if_known(context, "aws:resourceaccount", facts.resource_account);
    if (facts.token_issued) set(context, "aws:tokenissuetime", format_rfc3339(*facts.token_issued));
    if (facts.mfa_present) set_boolean(context, "aws:multifactorauthpresent", *facts.mfa_present);
    if (const auto& web = facts.web_identity) {
        set_if_known(context, web->host + ":aud", web->audience);
        set_if_known(context, web->host + ":sub", web->subject);
        if (!web->methods.empty()) set(context, web->host + ":amr", web->methods);
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
