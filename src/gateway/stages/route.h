// SPDX-License-Identifier: Apache-2.0
// The stages that find the route of a request, and refuse an ambiguous target or a request without a route.
#pragma once

#include "gateway/stages/pipeline_context.h"

namespace integreat::gateway {

bool require_unambiguous_target(PipelineContext& context);

// Sets route, tenant and deadline, or the allowed methods of the path.
bool find_route(PipelineContext& context);

// Refuses an unknown path (404) or method (405), and handles OPTIONS.
bool require_route(PipelineContext& context);

}  // namespace integreat::gateway
