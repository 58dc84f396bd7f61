// SPDX-License-Identifier: Apache-2.0
#include "http/message/problem.h"

#include <boost/json.hpp>

namespace integreat::http {

namespace {

struct Kind {
    int status;
    const char* type;
    const char* title;
};

Kind kind_of(Fault fault) {
    switch (fault) {
        case Fault::invalid: return {400, "invalid-request", "The request is not valid"};
        case Fault::unauthenticated: return {401, "unauthenticated", "We do not know who is asking"};
        case Fault::forbidden: return {403, "forbidden", "This is not allowed"};
        case Fault::not_found: return {404, "not-found", "There is nothing here"};
        case Fault::conflict: return {409, "conflict", "The present state does not allow this"};
        case Fault::exhausted: return {429, "limit-reached", "A limit was reached"};
        case Fault::unavailable: return {503, "unavailable", "Something we depend on does not answer"};
        case Fault::internal: break;
    }
    return {500, "internal", "Something went wrong on our side"};
}

}  // namespace

Problem problem_from(const Error& error) {
    auto kind = kind_of(error.fault);
    Problem problem{.status = kind.status, .type = kind.type, .title = kind.title, .detail = error.message};
    if (error.fault == Fault::unavailable || error.fault == Fault::exhausted) {
        problem.retry_after = std::chrono::seconds(1);
    }
    return problem;
}

Reply to_reply(const Problem& problem, const std::string& request_id) {
    boost::json::object body{{"type", "/problems/" + problem.type},
                             {"title", problem.title},
                             {"status", problem.status},
                             {"detail", problem.detail},
                             {"request_id", request_id}};
    if (!problem.errors.empty()) {
        boost::json::array errors;
        for (const auto& error : problem.errors) {
            errors.push_back({{"pointer", error.pointer}, {"detail", error.detail}});
        }
        body["errors"] = std::move(errors);
    }
    Reply reply{.status = problem.status, .headers = problem.headers, .body = boost::json::serialize(body)};
    reply.headers.set("Content-Type", "application/problem+json");
    reply.headers.set("Cache-Control", "no-store");
    if (problem.retry_after) reply.headers.set("Retry-After", std::to_string(problem.retry_after->count()));
    return reply;
}

}  // namespace integreat::http
