// SPDX-License-Identifier: Apache-2.0
// The state of one request in the pipeline and the ways to end it. A stage returns true to continue, or false
// after it has set `result`. Stages communicate through RequestContext only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/routing/authorize.h"
#include "gateway/stages/gateway.h"
#include "http/transport/application.h"

namespace integreat::gateway {

struct PipelineContext {
    Gateway& gateway;
    const http::Request& request;
    http::RequestContext& request_context;
    const CompiledRoute* route = nullptr;    // Compiled form of request_context.route.
    const CompiledTenant* tenant = nullptr;  // Tenant of the path, also without a matching route.
    std::string allowed_methods;             // Methods of the path, if no route matches the request's method.
    std::optional<http::Admission> result;
};

using Stage = bool (*)(PipelineContext&);

// Handles a request whose body is complete.
using Responder = http::Response (*)(Gateway&, const http::Request&, http::RequestContext&);

// Makes a Rejection without facts.
Rejection make_rejection(http::ProblemType type, std::string detail, std::string rule);

// Sets `result` to the problem and records the decision for `integreat why`. Returns false, for the stage to
// return.
bool reject(PipelineContext& context, std::string_view stage, Rejection rejection);

// Records request_context.decision for `integreat why`.
void record_decision(PipelineContext& context, int status);

}  // namespace integreat::gateway
