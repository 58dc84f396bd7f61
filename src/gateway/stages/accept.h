// SPDX-License-Identifier: Apache-2.0
// The stage that checks Content-Type and Idempotency-Key before the body is sent.
#pragma once

#include "gateway/stages/pipeline_context.h"

namespace integreat::gateway {

bool require_acceptable_headers(PipelineContext& context);

// True if the headers announce a body.
bool has_body(const http::Headers& headers);

}  // namespace integreat::gateway
