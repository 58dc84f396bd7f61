// SPDX-License-Identifier: Apache-2.0
// The stage that assigns the request ID and takes the current snapshot.
#pragma once

#include "gateway/stages/pipeline_context.h"

namespace integreat::gateway {

bool assign_request_id(PipelineContext& context);

}  // namespace integreat::gateway
