// SPDX-License-Identifier: Apache-2.0
// The stage that refuses an ambiguous request target.
#pragma once

#include "gateway/pipeline/pipeline_context.h"

namespace integreat::gateway {

bool require_unambiguous_target(PipelineContext& context);

}  // namespace integreat::gateway
