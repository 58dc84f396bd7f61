// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/pipeline.h"

#include <array>

#include "gateway/logging/redact.h"
#include "gateway/pipeline/accept.h"
#include "gateway/pipeline/authorize.h"
#include "gateway/pipeline/body_limit.h"
#include "gateway/pipeline/cors.h"
#include "gateway/pipeline/dispatch.h"
#include "gateway/pipeline/handler.h"
#include "gateway/pipeline/idempotency.h"
#include "gateway/pipeline/identify.h"
#include "gateway/pipeline/rate_limit.h"
#include "gateway/pipeline/request_id.h"
#include "gateway/pipeline/request_log.h"
#include "gateway/pipeline/route.h"
#include "gateway/pipeline/target.h"
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

constexpr std::size_t logged_body_bytes_max = 16 * 1024;

// Copies the response body for the log, which is written after the response is gone.
void copy_body_for_log(PipelineContext& context) {
    const auto* route = context.request_context.route;
    const auto* response = std::get_if<http::FullResponse>(&*context.result);
    if (!route || !route->log_bodies || !response || !context.gateway.transaction_log) return;
    context.request_context.response_body = redact_body(response->body, logged_body_bytes_max);
}

template <std::size_t Count>
void run_stages(PipelineContext& context, const std::array<Stage, Count>& stages) {
    for (auto stage : stages) {
        if (!stage(context)) break;
    }
}

http::Admission take_admission(PipelineContext& context) {
    ASSERT(context.result);  // The last stage always sets it.
    copy_body_for_log(context);
    return *std::move(context.result);
}

http::Response take_response(PipelineContext& context) {
    auto admission = take_admission(context);
    if (auto* proxy_request = std::get_if<http::ProxyRequest>(&admission)) return std::move(*proxy_request);
    if (auto* stream = std::get_if<http::StreamingResponse>(&admission)) return std::move(*stream);
    if (std::holds_alternative<http::NeedsBlockingThread>(admission)) return http::NeedsBlockingThread{};
    ASSERT(std::holds_alternative<http::FullResponse>(admission));
    return std::get<http::FullResponse>(std::move(admission));
}

// Makes the context of an admitted request.
PipelineContext resume(Gateway& gateway, const http::Request& request,
                       http::RequestContext& request_context) {
    PipelineContext context{.gateway = gateway, .request = request, .request_context = request_context};
    context.route = &request_context.snapshot->compiled(*request_context.route);
    context.tenant = context.route->tenant;
    return context;
}

http::Response respond(Gateway& gateway, const http::Request& request,
                       http::RequestContext& request_context) {
    auto context = resume(gateway, request, request_context);
    run_stages(context, handling_stages);
    if (!context.pending) return take_response(context);
    auto complete = [&gateway, &request, &request_context, handler = std::move(context.pending->complete)] {
        auto resumed = resume(gateway, request, request_context);
        run_handler_guarded(resumed, handler);
        return take_response(resumed);
    };
    return http::PendingResponse{.on_ready = std::move(context.pending->on_ready),
                                 .complete = std::move(complete)};
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
        .admit =
            [&gateway](const Request& request, RequestContext& request_context) {
                PipelineContext context{
                    .gateway = gateway, .request = request, .request_context = request_context};
                run_stages(context, admission_stages);
                return take_admission(context);
            },
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
                log_request(gateway, request, request_context, summary);
            },
    };
}

}  // namespace integreat::gateway
