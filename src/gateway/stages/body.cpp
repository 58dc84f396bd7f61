// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/body.h"

#include <charconv>
#include <memory>

#include "http/transport/spooled_body.h"

namespace integreat::gateway {

namespace {

constexpr std::chrono::seconds permit_retry_after{10};

// Returns the Content-Length, if there is one; the transport has checked its form.
std::optional<std::uint64_t> content_length(const http::Headers& headers) {
    auto text = headers.get("Content-Length");
    std::uint64_t length = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), length).ec != std::errc())
        return {};
    return length;
}

// A body on its way to disk, and its share of the app's disk space.
struct SpoolingBody {
    TenantSemaphore::Permit permit;
    TenantSemaphore::Permit principal_permit;
    http::SpooledBody body;
};

// `holder` begins the sentence: "This app".
bool reject_pending(PipelineContext& context, const std::string& holder, int limit,
                    const std::string& setting) {
    auto detail = holder + " " + std::to_string(limit) + " imports that are being received or processed (" +
                  setting + "). Retry after one has finished.";
    auto problem = http::problem(http::ProblemType::limit_reached, std::move(detail), permit_retry_after);
    return reject(context, "body",
                  {.problem = std::move(problem), .rule = setting + " of integreat.yaml", .facts = {}});
}

// Returns the key of the caller in Spooling::principals.
TenantId principal_key(const PipelineContext& context) {
    const auto& request_context = context.request_context;
    const auto* principal = request_context.principal.get();
    auto caller = !principal                              ? "address:" + context.request.peer.address
                  : principal->kind == PrincipalKind::key ? "key:" + principal->subject
                                                          : "user:" + principal->subject;
    return TenantId{request_context.tenant.text + "/" + caller};
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

bool limit_body(PipelineContext& context) {
    const auto& headers = context.request.headers;
    const auto& route = *context.request_context.route;
    auto limit = route.max_body_bytes;
    auto length = content_length(headers);
    bool too_large = length ? *length > limit : limit == 0 && headers.contains("Transfer-Encoding");
    if (!too_large) return true;
    auto rejection =
        make_rejection(http::ProblemType::body_too_large,
                       limit == 0 ? "This route accepts no body."
                                  : "This route accepts at most " + std::to_string(limit) + " bytes.",
                       "route " + route.name + " accepts at most " + std::to_string(limit) + " bytes");
    rejection.facts.emplace_back("Content-Length", length ? std::to_string(*length) : "(chunked)");
    return reject(context, "body", std::move(rejection));
}

void spool_body(PipelineContext& context, Responder respond) {
    auto& gateway = context.gateway;
    const auto& request = context.request;
    auto& request_context = context.request_context;
    auto& spooling = gateway.spooling;
    auto own_max = spooling.max_pending_per_principal;
    auto own = spooling.principals.try_acquire(principal_key(context), own_max);
    if (!own) {
        reject_pending(context, "You have", own_max, "imports.max_pending_per_principal");
        return;
    }
    auto permit = spooling.semaphore.try_acquire(request_context.tenant, spooling.max_pending);
    if (!permit) {
        reject_pending(context, "This app has", spooling.max_pending, "imports.max_pending");
        return;
    }
    auto spooled = std::make_shared<SpoolingBody>(
        SpoolingBody{*std::move(permit), *std::move(own), http::SpooledBody(spooling.folder)});
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
