// SPDX-License-Identifier: Apache-2.0
#include "http/message/problem.h"

#include <boost/json.hpp>

namespace integreat::http {

namespace {

ProblemType problem_type(Fault fault) {
    switch (fault) {
        case Fault::invalid: return ProblemType::invalid_request;
        case Fault::unauthenticated: return ProblemType::unauthenticated;
        case Fault::forbidden: return ProblemType::forbidden;
        case Fault::not_found: return ProblemType::not_found;
        case Fault::conflict: return ProblemType::conflict;
        case Fault::exhausted: return ProblemType::limit_reached;
        case Fault::unavailable: return ProblemType::unavailable;
        case Fault::internal: break;
    }
    return ProblemType::internal;
}

}  // namespace

Problem problem(ProblemType type, std::string detail) {
    return {type, std::move(detail)};
}

Problem problem(ProblemType type, std::string detail, std::chrono::seconds retry_after) {
    auto made = problem(type, std::move(detail));
    made.retry_after = retry_after;
    return made;
}

Problem problem(ProblemType type, std::string detail, std::vector<FieldError> errors) {
    auto made = problem(type, std::move(detail));
    made.errors = std::move(errors);
    return made;
}

Problem problem_from(const Error& error) {
    auto made = problem(problem_type(error.fault), error.message);
    if (error.fault == Fault::unavailable || error.fault == Fault::exhausted) {
        made.retry_after = std::chrono::seconds(1);
    }
    return made;
}

FullResponse to_response(const Problem& problem, std::string_view request_id, std::string_view base_url) {
    boost::json::object body{{"type", problem_url(problem.type, base_url)},
                             {"title", problem.title()},
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
    FullResponse response{
        .status = problem.status, .headers = problem.headers, .body = boost::json::serialize(body)};
    response.headers.set("Content-Type", "application/problem+json");
    response.headers.set("Cache-Control", "no-store");
    if (problem.retry_after)
        response.headers.set("Retry-After", std::to_string(problem.retry_after->count()));
    return response;
}

}  // namespace integreat::http
