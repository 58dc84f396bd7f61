// SPDX-License-Identifier: Apache-2.0
// The stages that authenticate the caller and check their permission to use the route.
#pragma once

#include "gateway/stages/pipeline_context.h"

namespace integreat::gateway {

bool identify_caller(PipelineContext& context);
bool authorize_caller(PipelineContext& context);

}  // namespace integreat::gateway
