// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/auth/authorize.h"

#include "cloud/aws/core/frontend.h"
#include "cloud/aws/core/operation_context.h"
#include "cloud/aws/protocol/error_responses.h"
#include "policy/evaluation/explain.h"

namespace integreat::cloud {

namespace {

policy::Request to_policy_request(const OperationContext& context, const Caller& caller,
                                  const AuthorizationRequest& authorization) {
    const auto& headers = context.request.headers;
    policy::RequestAttributes facts{
        .now = context.frontend.clock.now(),
        .secure_transport = context.request.secure,
        .source_ip = context.request.peer.address,
        .user_agent = std::string(headers.value("User-Agent")),
        .referer = std::string(headers.value("Referer")),
        .requested_region = context.region.empty() ? context.frontend.settings.region : context.region,
        .token_issued = caller.issued,
        .mfa_present = std::nullopt,
        .federated_provider = caller.federated_provider,
        .web_identity = caller.web_identity,
        .request_tags = authorization.request_tags,
        .resource_tags = authorization.resource_tags,
        .resource_account = authorization.resource_account.empty() ? context.frontend.settings.account
                                                                   : authorization.resource_account};
    if (caller.expires) facts.mfa_present = false;
    auto condition_context = policy::make_context(caller.principal, facts);
    for (const auto& key : authorization.keys.keys)
        policy::set(condition_context, key.name, key.values);
    return {.caller = caller.principal,
            .action = authorization.action,
            .resource = authorization.resource,
            .resource_account = facts.resource_account,
            .context = std::move(condition_context)};
}

using Evaluator = policy::Decision (*)(const policy::Request&, const policy::Policies&);

AwsResult<> evaluate_and_log(OperationContext& context, const Caller& caller,
                             const AuthorizationRequest& authorization, Evaluator evaluate) {
    auto request = to_policy_request(context, caller, authorization);
    policy::Policies policies{.identity = caller.identity_policies,
                              .resource = authorization.resource_policies,
                              .session = caller.session_policies,
                              .boundary = caller.boundary};
    auto decision = evaluate(request, policies);
    if (decision.allowed) {
        context.authorizations.push_back({true, authorization.action, authorization.resource, ""});
        return {};
    }
    context.authorizations.push_back(
        {false, authorization.action, authorization.resource, policy::explain(request, policies, decision)});
    if (!context.frontend.settings.enforce) return {};
    auto protocol = context.api ? context.api->protocol : Protocol::rest_xml;
    if (caller.principal.kind == policy::CallerKind::anonymous)
        return access_denied(protocol, "Access Denied");
    return access_denied(protocol, policy::access_denied_message(request, decision));
}

}  // namespace

AwsResult<> authorize(OperationContext& context, const AuthorizationRequest& authorization) {
    return evaluate_and_log(context, context.caller, authorization, policy::evaluate);
}

AwsResult<> authorize_trust(OperationContext& context, const Caller& caller,
                            const AuthorizationRequest& authorization) {
    return evaluate_and_log(context, caller, authorization, policy::evaluate_trust);
}

}  // namespace integreat::cloud
