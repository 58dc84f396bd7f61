// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/handler.h"

#include <algorithm>

namespace integreat::gateway {

namespace {

// An endless response ends when the caller's token expires. A document may be finished.
void limit_to_token_lifetime(http::StreamingResponse& stream, const http::RequestContext& request_context) {
    using std::chrono::seconds;
    const auto* principal = request_context.principal.get();
    if (stream.heartbeat.empty() || !principal || principal->kind == PrincipalKind::anonymous) return;
    auto remaining = std::chrono::floor<seconds>(principal->expires - request_context.started);
    if (remaining >= std::chrono::floor<seconds>(Monotonic::max() - request_context.arrived)) return;
    stream.until = std::min(stream.until, request_context.arrived + remaining);
}

}  // namespace

void run_handler_guarded(PipelineContext& context, const std::function<http::Response()>& handler) {
    auto& request_context = context.request_context;
    try {
        auto response = handler();
        if (auto* full = std::get_if<http::FullResponse>(&response)) {
            if (!request_context.decision.stage.empty()) record_decision(context, full->status);
        } else if (auto* stream = std::get_if<http::StreamingResponse>(&response)) {
            limit_to_token_lifetime(*stream, request_context);
        }
        std::visit([&](auto& one) { context.result.emplace(std::move(one)); }, response);
    } catch (const std::exception& exception) {
        request_context.cause = exception.what();
        reject(context, "handler",
               make_rejection(http::ProblemType::internal, "Report the request_id.",
                              "the handler of route " + request_context.route->name + " failed"));
    }
}

bool run_handler(PipelineContext& context) {
    const auto& handler = context.request_context.route->handler;
    ASSERT(handler);
    run_handler_guarded(context, [&] { return handler(context.request, context.request_context); });
    return false;
}

}  // namespace integreat::gateway
