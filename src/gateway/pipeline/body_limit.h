// SPDX-License-Identifier: Apache-2.0
// The stage that refuses a body over the route's limit, by the head of the request.
#pragma once

#include "gateway/pipeline/pipeline_context.h"

namespace integreat::gateway {

bool limit_body(PipelineContext& context);

}  // namespace integreat::gateway
