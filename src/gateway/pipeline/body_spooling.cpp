// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/body_spooling.h"

#include <memory>

#include "http/transport/spooled_body.h"

namespace integreat::gateway {

namespace {

constexpr std::chrono::seconds permit_retry_after{10};

// A body on its way to disk, and its share of the app's disk space.
struct SpoolingBody {
    TenantSemaphore::Permit permit;
    http::SpooledBody body;
};

bool reject_concurrency(PipelineContext& context) {
    auto problem = http::problem(http::ProblemType::limit_reached,
                                 "Too many concurrent imports for this app. Retry after one has finished.",
                                 permit_retry_after);
    return reject(
        context, "body",
        {.problem = std::move(problem), .rule = "imports.max_pending of integreat.yaml", .facts = {}});
}

http::Response reject_spooling(Gateway& gateway, const http::Request& request,
                               http::RequestContext& request_context, const Error& error) {
    PipelineContext context{.gateway = gateway, .request = request, .request_context = request_context};
    request_context.cause = error.cause;
    reject(context, "body",
           {.problem = http::problem_from(error),
            .rule = "imports.folder must have space for the body",
            .facts = {}});
    return std::get<http::FullResponse>(*std::move(context.result));
}

}  // namespace

void spool_body(PipelineContext& context, Responder respond) {
    auto& gateway = context.gateway;
    const auto& request = context.request;
    auto& request_context = context.request_context;
    auto& spooling = gateway.spooling;
    auto permit = spooling.semaphore.try_acquire(request_context.tenant, spooling.max_concurrent);
    if (!permit) {
        reject_concurrency(context);
        return;
    }
    auto spooled =
        std::make_shared<SpoolingBody>(SpoolingBody{*std::move(permit), http::SpooledBody(spooling.folder)});
    auto consume = [&gateway, &request, &request_context, spooled, respond](
                       std::string_view chunk, bool last) -> std::optional<http::Response> {
        if (auto appended = spooled->body.append(chunk); !appended)
            return reject_spooling(gateway, request, request_context, appended.error());
        if (!last) return {};
        // The time that the body took to arrive does not count against the handler's timeout.
        request_context.deadline = gateway.clock.monotonic() + request_context.route->timeout;
        request_context.spooled_body = &spooled->body;
        auto response = respond(gateway, request, request_context);
        request_context.spooled_body = nullptr;
        return response;
    };
    context.result =
        http::StreamBody{.max_bytes = request_context.route->max_body_bytes, .consume = std::move(consume)};
}

}  // namespace integreat::gateway
