// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/rate_limit.h"

namespace integreat::gateway {

namespace {

// `caller` completes the sentence "limit POLICY of …".
bool reject_rate(PipelineContext& context, const CompiledRateLimit& limit, const RateLimitDecision& decision,
                 const std::string& caller) {
    auto rejection = make_rejection(http::ProblemType::rate_limited,
                                    "Retry after " + std::to_string(decision.reset_seconds) + " s.",
                                    "limit " + limit.policy + " of " + caller);
    rejection.problem.retry_after = std::chrono::seconds(decision.reset_seconds);
    add_rate_limit_headers(limit, decision, rejection.problem.headers);
    rejection.facts.emplace_back("route", context.request_context.route->name);
    return reject(context, "limit", std::move(rejection));
}

std::uint64_t caller_key(const RateLimiter& limiter, const http::Request& request,
                         const http::RequestContext& request_context) {
    const auto* principal = request_context.principal.get();
    if (!principal) return limiter.hash_address(request.peer.address);
    auto key = limiter.hash_key(principal->subject) + limiter.hash_key(principal->tenant.text) * 3;
    return principal->kind == PrincipalKind::key ? ~key : key;
}

}  // namespace

bool limit_rate(PipelineContext& context) {
    auto& request_context = context.request_context;
    auto& limiter = context.gateway.rate_limiter;
    if (const auto& limit = context.route->rate_limit; limit.limited()) {
        auto caller = caller_key(limiter, context.request, request_context);
        auto decision = limiter.try_acquire(limit, caller, request_context.arrived);
        if (!decision.allowed)
            return reject_rate(context, limit, decision, describe_caller(request_context.principal.get()));
        add_rate_limit_headers(limit, decision, request_context.response_headers);
    }
    if (const auto& limit = context.tenant->rate_limit; limit.limited()) {
        auto decision = limiter.try_acquire(limit, 0, request_context.arrived);
        if (!decision.allowed) {
            request_context.response_headers.remove("RateLimit");
            request_context.response_headers.remove("RateLimit-Policy");
            return reject_rate(context, limit, decision, "all callers of the application");
        }
    }
    if (const auto& limit = context.route->record_limit; limit.limited()) {
        auto caller = caller_key(limiter, context.request, request_context);
        request_context.records_wait = limiter.wait(limit, caller, request_context.arrived);
    }
    return true;
}

void charge_records(Gateway& gateway, const http::Request& request, const http::RequestContext& context) {
    if (context.records == 0 || !context.route) return;
    const auto& limit = current_snapshot(context).compiled(*context.route).record_limit;
    auto& limiter = gateway.rate_limiter;
    if (limit.limited())
        limiter.charge(limit, caller_key(limiter, request, context), context.records, context.arrived);
}

bool limit_unrouted(PipelineContext& context) {
    const auto& limit = current_snapshot(context.request_context).unrouted_limit;
    if (!limit.limited()) return true;
    auto& limiter = context.gateway.rate_limiter;
    auto address_key = limiter.hash_address(context.request.peer.address);
    auto decision = limiter.try_acquire(limit, address_key, context.request_context.arrived);
    if (decision.allowed) return true;
    auto problem = http::problem(http::ProblemType::rate_limited,
                                 "This address sent too many requests without a route or a sign-in. Retry "
                                 "after " +
                                     std::to_string(decision.reset_seconds) + " s.");
    problem.retry_after = std::chrono::seconds(decision.reset_seconds);
    context.request_context.decision = {.stage = "limit",
                                        .type = std::string(problem.slug()),
                                        .rule = "http.unrouted_requests of integreat.yaml",
                                        .facts = {}};
    context.result = to_response(problem, context.request_context);
    return false;
}

bool limit_failed_authentication(PipelineContext& context) {
    const auto& limit = context.route->rate_limit;
    if (!limit.limited()) return limit_unrouted(context);
    auto& limiter = context.gateway.rate_limiter;
    auto address_key = ~limiter.hash_address(context.request.peer.address);
    auto decision = limiter.try_acquire(limit, address_key, context.request_context.arrived);
    return decision.allowed || reject_rate(context, limit, decision, "failed sign-ins of the address");
}

}  // namespace integreat::gateway
