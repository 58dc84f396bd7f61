// SPDX-License-Identifier: Apache-2.0
// Responses that several administrative routes make.
#pragma once

#include <string>

#include "http/message/problem.h"
#include "http/routing/request_context.h"

namespace integreat::gateway {

// Returns a response that no cache stores.
inline http::FullResponse json_response(int status, std::string body) {
    return {.status = status,
            .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
            .body = std::move(body)};
}

inline http::FullResponse reject_not_found(const http::RequestContext& context, std::string detail) {
    return http::to_response(http::problem(http::ProblemType::not_found, std::move(detail)), context);
}

}  // namespace integreat::gateway
