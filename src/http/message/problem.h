// SPDX-License-Identifier: Apache-2.0
// Problem details (RFC 9457), the body of every error response. Slug, title and status follow from the
// ProblemType, so a problem is made by `problem` or `problem_from` only.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message/message.h"
#include "http/message/problem_catalogue.h"

namespace integreat::http {

// An error in the body: a JSON pointer fragment (RFC 6901 section 6) and the reason.
struct FieldError {
    std::string pointer;  // "#/recipient/0"
    std::string detail;   // "must be an e-mail address"
};

struct Problem {
    ProblemType type;
    int status;          // The default of the type.
    std::string detail;  // The fix for this occurrence.
    std::vector<FieldError> errors;
    std::optional<std::chrono::seconds> retry_after;
    Headers headers;  // Additional response headers: Allow, WWW-Authenticate, RateLimit.

    std::string_view slug() const { return problem_definition(type).slug; }
    std::string_view title() const { return problem_definition(type).title; }

private:
    Problem(ProblemType its_type, std::string its_detail)
        : type(its_type), status(problem_definition(its_type).status), detail(std::move(its_detail)) {}
    friend Problem problem(ProblemType type, std::string detail);
};

Problem problem(ProblemType type, std::string detail);
Problem problem(ProblemType type, std::string detail, std::chrono::seconds retry_after);
Problem problem(ProblemType type, std::string detail, std::vector<FieldError> errors);

// Converts a Fault without a more specific type.
Problem problem_from(const Error& error);

// Renders application/problem+json with `type` (below `base_url`), `title`, `status`, `detail`, `request_id`
// and `errors`.
FullResponse to_response(const Problem& problem, std::string_view request_id,
                         std::string_view base_url = default_problem_base_url);

}  // namespace integreat::http
