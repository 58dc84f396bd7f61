// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cloud/aws/core/frontend.h"
#include "cloud/aws/core/operation_context.h"
#include "cloud/aws/protocol/error_responses.h"
#include "policy/evaluation/explain.h"

namespace integreat::cloud {

namespace {

policy::Request request_for(const Exchange& exchange, const Caller& caller, const Wanted& wanted) {
    const auto& headers = exchange.request.headers;
    policy::Facts facts{
        .now = exchange.front.clock.now(),
        .secure_transport = exchange.request.secure,
        .source_ip = exchange.request.peer.address,
        .user_agent = std::string(headers.value("User-Agent")),
        .referer = std::string(headers.value("Referer")),
        .requested_region = exchange.region.empty() ? exchange.front.settings.region : exchange.region,
        .token_issued = caller.issued,
        .mfa_present = std::nullopt,
        .federated_provider = caller.federated_provider,
        .web_identity = caller.web_identity,
        .request_tags = wanted.request_tags,
        .resource_tags = wanted.resource_tags,
        .resource_account =
            wanted.resource_account.empty() ? exchange.front.settings.account : wanted.resource_account};
    if (caller.expires) facts.mfa_present = false;
    auto context = policy::context_of(caller.who, facts);
    for (const auto& key : wanted.keys.keys)
        policy::set(context, key.name, key.values);
    return {.caller = caller.who,
            .action = wanted.action,
            .resource = wanted.resource,
            .resource_account = facts.resource_account,
            .context = std::move(context)};
}

using Evaluation = policy::Decision (*)(const policy::Request&, const policy::Policies&);

std::optional<AwsError> decide(Exchange& exchange, const Caller& caller, const Wanted& wanted,
                               Evaluation evaluation) {
    auto request = request_for(exchange, caller, wanted);
    policy::Policies policies{.identity = caller.identity_policies,
                              .resource = wanted.resource_policies,
                              .session = caller.session_policies,
                              .boundary = caller.boundary};
    auto decision = evaluation(request, policies);
    if (decision.allowed) {
        exchange.verdicts.push_back({true, wanted.action, wanted.resource, ""});
        return std::nullopt;
    }
    exchange.verdicts.push_back(
        {false, wanted.action, wanted.resource, policy::explain(request, policies, decision)});
    if (!exchange.front.settings.enforce) return std::nullopt;
    auto protocol = exchange.api ? exchange.api->protocol : Protocol::rest_xml;
    if (caller.who.kind == policy::CallerKind::anonymous) return access_denied(protocol, "Access Denied");
    return access_denied(protocol, policy::access_denied_message(request, decision));
}

}  // namespace

std::optional<std::string_view> Exchange::parameter(std::string_view name) const {
    auto found =
        std::ranges::find(query, name, [](const auto& pair) { return std::string_view(pair.first); });
    if (found == query.end()) return std::nullopt;
    return found->second;
}

std::optional<AwsError> authorize(Exchange& exchange, const Wanted& wanted) {
    return decide(exchange, exchange.caller, wanted, policy::evaluate);
}

std::optional<AwsError> authorize_trust(Exchange& exchange, const Caller& caller, const Wanted& wanted) {
    return decide(exchange, caller, wanted, policy::evaluate_trust);
}

}  // namespace integreat::cloud
