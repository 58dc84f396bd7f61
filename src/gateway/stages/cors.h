// SPDX-License-Identifier: Apache-2.0
// The stage that adds the CORS headers and handles preflights.
#pragma once

#include "gateway/stages/pipeline_context.h"

namespace integreat::gateway {

bool apply_cors(PipelineContext& context);

}  // namespace integreat::gateway
