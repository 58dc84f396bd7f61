// SPDX-License-Identifier: Apache-2.0
// The stage that calls the route's handler.
#pragma once

#include <functional>

#include "gateway/stages/pipeline_context.h"

namespace integreat::gateway {

bool run_handler(PipelineContext& context);

// Sets `result` to the response of `handler`; an exception becomes a 500.
void run_handler_guarded(PipelineContext& context, const std::function<http::Response()>& handler);

}  // namespace integreat::gateway
