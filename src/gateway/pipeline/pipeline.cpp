// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/pipeline.h"

#include <array>

#include "gateway/logging/redact.h"
#include "gateway/pipeline/request_log.h"
#include "gateway/stages/accept.h"
#include "gateway/stages/body.h"
#include "gateway/stages/caller.h"
#include "gateway/stages/cors.h"
#include "gateway/stages/dispatch.h"
#include "gateway/stages/handler.h"
#include "gateway/stages/idempotency.h"
#include "gateway/stages/rate_limit.h"
#include "gateway/stages/request_id.h"
#include "gateway/stages/route.h"
#include "http/routing/target.h"

namespace integreat::gateway {

namespace {

http::Response respond(Gateway& gateway, const http::Request& request, http::RequestContext& request_context);

bool dispatch_request(PipelineContext& context) {
    return dispatch(context, respond);
}

// For the head of a request.
constexpr std::array admission_stages{
    assign_request_id,           // First: every log line below carries the ID.
    require_unambiguous_target,  // Before any stage reads the path: an ambiguous path is not interpreted.
    find_route,                  // Tenant, limits and access depend on the route.
    apply_cors,                  // Before every stage that may reject, so that pages can read the reason.
    require_route,               // 404, 405 and OPTIONS, after the tenant's CORS headers are set.
    limit_body,                  // Before the body is read.
    identify_caller,             // A cached token costs no wait, every other one does.
    authorize_caller,            // Needs identify_caller; the stages below run for permitted callers only.
    limit_rate,                  // After authorize_caller, so that no caller spends another's tokens.
    require_acceptable_headers,  // Content-Type and Idempotency-Key, before the body is sent.
    dispatch_request,            // Proxies, handles, or asks for the body.
};

// For a request whose body is complete.
constexpr std::array handling_stages{
    run_idempotent,  // With an Idempotency-Key, or in a transaction: repeats or stores the response.
    run_handler,     // All other requests.
};

// Copies the response body for the log, which is written after the response is gone.
void copy_body_for_log(PipelineContext& context) {
    const auto* route = context.request_context.route;
    const auto* response = std::get_if<http::FullResponse>(&*context.result);
    if (!route || !route->log_bodies || !response || !context.gateway.transaction_log) return;
    context.request_context.response_body = redact_body(response->body, logged_body_bytes_max);
}

// Runs the stages from `first` on until one ends the request, and returns its index.
template <std::size_t Count>
std::size_t run_stages(PipelineContext& context, const std::array<Stage, Count>& stages,
                       std::size_t first = 0) {
    while (first < Count && stages[first](context))
        ++first;
    return first;
}

// Makes the context of an admitted request.
PipelineContext resume(Gateway& gateway, const http::Request& request,
                       http::RequestContext& request_context) {
    PipelineContext context{.gateway = gateway, .request = request, .request_context = request_context};
    context.route = &current_snapshot(request_context).compiled(*request_context.route);
    context.tenant = context.route->tenant;
    return context;
}

http::Response take_response(PipelineContext& context);

// Lets `complete` of a pending response run as the handler does.
void guard_completion(PipelineContext& context) {
    auto* pending = std::get_if<http::PendingResponse>(&*context.result);
    if (!pending) return;
    pending->complete = [&gateway = context.gateway, &request = context.request,
                         &request_context = context.request_context,
                         complete = std::move(pending->complete)] {
        auto resumed = resume(gateway, request, request_context);
        run_handler_guarded(resumed, complete);
        return take_response(resumed);
    };
}

http::Admission take_admission(PipelineContext& context) {
    ASSERT(context.result);  // The last stage always sets it.
    copy_body_for_log(context);
    guard_completion(context);
    return *std::move(context.result);
}

http::Response take_response(PipelineContext& context) {
    auto admission = take_admission(context);
    if (auto* full = std::get_if<http::FullResponse>(&admission)) return std::move(*full);
    if (auto* pending = std::get_if<http::PendingResponse>(&admission)) return std::move(*pending);
    if (auto* proxy_request = std::get_if<http::ProxyRequest>(&admission)) return std::move(*proxy_request);
    if (auto* stream = std::get_if<http::StreamingResponse>(&admission)) return std::move(*stream);
    ASSERT(std::holds_alternative<http::NeedsBlockingThread>(admission));
    return http::NeedsBlockingThread{};
}

// After NeedsBlockingThread the stages before are not repeated.
http::Admission admit(Gateway& gateway, const http::Request& request, http::RequestContext& request_context) {
    std::size_t first = request_context.finished_stages;
    auto context =
        first == 0
            ? PipelineContext{.gateway = gateway, .request = request, .request_context = request_context}
            : resume(gateway, request, request_context);
    auto last = run_stages(context, admission_stages, first);
    if (context.result && std::holds_alternative<http::NeedsBlockingThread>(*context.result)) {
        ASSERT(request_context.route);  // Required by `resume`: only stages after require_route may block.
        request_context.finished_stages = static_cast<std::uint8_t>(last);
    }
    return take_admission(context);
}

http::Response respond(Gateway& gateway, const http::Request& request,
                       http::RequestContext& request_context) {
    auto context = resume(gateway, request, request_context);
    run_stages(context, handling_stages);
    return take_response(context);
}

// Renders a refusal of the transport, perhaps before the request has an ID or a route.
http::FullResponse reject_by_transport(Gateway& gateway, const http::Request& request,
                                       http::RequestContext& request_context, const http::Problem& problem) {
    PipelineContext context{.gateway = gateway, .request = request, .request_context = request_context};
    if (request_context.id.empty()) {
        assign_request_id(context);
        if (http::check_target(request.target)) {
            find_route(context);
            add_cors_headers(context.tenant->cors, request.headers.value("Origin"),
                             request_context.response_headers);
        }
    }
    reject(context, "transport", {.problem = problem, .rule = problem.detail, .facts = {}});
    return std::get<http::FullResponse>(*std::move(context.result));
}

}  // namespace

http::Application make_application(Gateway& gateway) {
    using http::Problem;
    using http::Request;
    using http::RequestContext;
    return {
        .admit = [&gateway](
                     const Request& request,
                     RequestContext& request_context) { return admit(gateway, request, request_context); },
        .handle = [&gateway](
                      const Request& request,
                      RequestContext& request_context) { return respond(gateway, request, request_context); },
        .reject =
            [&gateway](const Request& request, RequestContext& request_context, const Problem& problem) {
                return reject_by_transport(gateway, request, request_context, problem);
            },
        .finish =
            [&gateway](const Request& request, const RequestContext& request_context,
                       const http::RequestSummary& summary) {
                charge_records(gateway, request, request_context);
                log_request(gateway, request, request_context, summary);
            },
    };
}

}  // namespace integreat::gateway
