// SPDX-License-Identifier: Apache-2.0
// The stage that authenticates the caller.
#pragma once

#include "gateway/pipeline/pipeline_context.h"

namespace integreat::gateway {

bool identify_caller(PipelineContext& context);

}  // namespace integreat::gateway
