// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/pipeline.h"

#include <array>

#include "gateway/logging/redact.h"
#include "gateway/pipeline/request_log.h"
#include "gateway/pipeline/stages.h"

namespace integreat::gateway {

namespace {

// When the head of a request is complete.
constexpr std::array admission{
    number_request,           // First: everything below logs this id.
    require_plain_target,     // Before anything reads the path: what could be read in two ways is not read.
    find_route,               // Tenant, limits and access all hang on the route.
    answer_cross_origin,      // Above all that may refuse, so that pages can read why; preflights end here.
    require_route,            // 404, 405 and OPTIONS, once the tenant's CORS fields are on.
    limit_body,               // Before anyone reads the body.
    identify_caller,          // Who is asking. A token in the cache costs no wait, all others do.
    authorize_caller,         // May they: needs identify, and nothing below is for those who may not.
    limit_rate,               // After authorize, so that no one spends another's tokens; before what costs.
    require_acceptable_head,  // Media type and Idempotency-Key, before the body is sent.
    dispatch,                 // Relay, answer, or ask for the body.
};

// When its body is complete, too.
constexpr std::array answering{
    require_valid_body,  // Handlers trust what they read.
    answer_once,         // With an Idempotency-Key, or in a transaction: repeats or keeps the answer.
    run_handler,         // For all the rest.
};

constexpr std::size_t logged_body_bytes_max = 16 * 1024;

// The answer is gone when the journal is written.
void keep_for_log(Passage& passage) {
    const auto* route = passage.call.route;
    const auto* reply = std::get_if<http::Reply>(&*passage.answer);
    if (!route || !route->log_bodies || !reply || !passage.gateway.transaction_log) return;
    passage.call.response_body = redact_body(reply->body, logged_body_bytes_max);
}

template <std::size_t Count>
void pass(Passage& passage, const std::array<Stage, Count>& stages) {
    for (auto stage : stages) {
        if (!stage(passage)) break;
    }
}

http::Admission admission_of(Passage& passage) {
    ASSERT(passage.answer);  // The last stage always leaves one.
    keep_for_log(passage);
    return *std::move(passage.answer);
}

http::Response response_of(Passage& passage) {
    auto answer = admission_of(passage);
    if (auto* relay = std::get_if<http::Relay>(&answer)) return std::move(*relay);
    if (auto* stream = std::get_if<http::Stream>(&answer)) return std::move(*stream);
    if (std::holds_alternative<http::Defer>(answer)) return http::Defer{};
    ASSERT(std::holds_alternative<http::Reply>(answer));
    return std::get<http::Reply>(std::move(answer));
}

Passage begin(Gateway& gateway, const http::Request& request, http::Call& call) {
    Passage passage{.gateway = gateway, .request = request, .call = call};
    passage.plan = &call.snapshot->plan_of(*call.route);
    passage.tenant = passage.plan->tenant;
    return passage;
}

// The transport refuses, perhaps before the request got a number or a route.
http::Reply reject(Gateway& gateway, const http::Request& request, http::Call& call,
                   const http::Problem& problem) {
    Passage passage{.gateway = gateway, .request = request, .call = call};
    if (call.id.empty()) {
        number_request(passage);
        if (http::check_target(request.target)) {
            find_route(passage);
            add_cors_fields(passage.tenant->cors, request.headers.value("Origin"), call.response_headers);
        }
    }
    refuse(passage, "transport", {.problem = problem, .rule = problem.detail});
    return std::get<http::Reply>(*std::move(passage.answer));
}

}  // namespace

http::Response respond(Gateway& gateway, const http::Request& request, http::Call& call) {
    auto passage = begin(gateway, request, call);
    pass(passage, answering);
    if (!passage.later) return response_of(passage);
    auto finish = [&gateway, &request, &call, handler = std::move(passage.later->finish)] {
        auto rest = begin(gateway, request, call);
        conclude(rest, handler);
        return response_of(rest);
    };
    return http::Later{.when_ready = std::move(passage.later->when_ready), .finish = std::move(finish)};
}

http::Application make_application(Gateway& gateway) {
    return {
        .admit =
            [&gateway](const http::Request& request, http::Call& call) {
                Passage passage{.gateway = gateway, .request = request, .call = call};
                pass(passage, admission);
                return admission_of(passage);
            },
        .answer = [&gateway](const http::Request& request,
                             http::Call& call) { return respond(gateway, request, call); },
        .reject = [&gateway](
                      const http::Request& request, http::Call& call,
                      const http::Problem& problem) { return reject(gateway, request, call, problem); },
        .finish = [&gateway](
                      const http::Request& request, const http::Call& call,
                      const http::Outcome& outcome) { write_journal(gateway, request, call, outcome); },
    };
}

}  // namespace integreat::gateway
