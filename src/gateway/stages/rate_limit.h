// SPDX-License-Identifier: Apache-2.0
// The stage that limits the requests of each caller and of each tenant.
#pragma once

#include "gateway/stages/pipeline_context.h"

namespace integreat::gateway {

bool limit_rate(PipelineContext& context);

// Counts a failed authentication against the client address. Returns false after a rejection.
bool limit_failed_authentication(PipelineContext& context);

}  // namespace integreat::gateway
