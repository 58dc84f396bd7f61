// SPDX-License-Identifier: Apache-2.0
// The stage that checks the caller's permission to use the route.
#pragma once

#include "gateway/pipeline/pipeline_context.h"

namespace integreat::gateway {

bool authorize_caller(PipelineContext& context);

}  // namespace integreat::gateway
