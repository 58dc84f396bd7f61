// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/caller.h"

#include "gateway/stages/rate_limit.h"

namespace integreat::gateway {

namespace {

bool reject_authentication(PipelineContext& context, identity::AuthFailure failure) {
    auto problem = http::problem(failure.type, std::move(failure.detail));
    if (problem.status == 401) {
        problem.headers.add("WWW-Authenticate", "Bearer realm=\"integreat\", error=\"invalid_token\"");
    }
    if (problem.status == 503) problem.retry_after = std::chrono::seconds(1);
    return reject(
        context, "identify",
        {.problem = std::move(problem), .rule = std::move(failure.rule), .facts = std::move(failure.facts)});
}

// A user of another application is anonymous on a public route: the upstream must not mistake them for one of
// its own users.
bool is_anonymous_here(const http::RequestContext& request_context, const Principal& principal) {
    return principal.tenant != request_context.tenant && request_context.tenant != platform_tenant &&
           request_context.route->access.audience == http::Access::Audience::anyone;
}

}  // namespace

bool identify_caller(PipelineContext& context) {
    auto& request_context = context.request_context;
    auto authorization = context.request.headers.get("Authorization");
    request_context.principal.reset();
    if (!authorization) return true;
    auto result = context.gateway.identify(*authorization, current_snapshot(request_context).projects,
                                           request_context.may_block, request_context.deadline);
    if (auto* principal = std::get_if<std::shared_ptr<const Principal>>(&result)) {
        if (*principal && !is_anonymous_here(request_context, **principal))
            request_context.principal = std::move(*principal);
        return true;
    }
    if (std::holds_alternative<identity::WouldBlock>(result)) {
        ASSERT(!request_context.may_block);
        context.result = http::NeedsBlockingThread{};
        return false;
    }
    // Signature checks are expensive, so that failed attempts are limited per address.
    return limit_failed_authentication(context) &&
           reject_authentication(context, std::get<identity::AuthFailure>(std::move(result)));
}

bool authorize_caller(PipelineContext& context) {
    const auto& request_context = context.request_context;
    auto rejection = authorize(*request_context.route, request_context.principal.get());
    if (!rejection) return true;
    if (!request_context.principal && !limit_unrouted(context)) return false;
    return reject(context, "authorize", *std::move(rejection));
}

}  // namespace integreat::gateway
