// SPDX-License-Identifier: Apache-2.0
// The size of request bodies: the stage that refuses a body over the route's limit by the head of the
// request, and bodies that may be too large for memory.
//
// The latter are written to a spool file as they arrive, and the route handles the request when the body is
// complete. No database connection is used before, so that a slow client holds none. Each body needs one of
// its app's permits until its spool file is deleted, which bounds the app's disk space.
#pragma once

#include "gateway/stages/pipeline_context.h"

namespace integreat::gateway {

bool limit_body(PipelineContext& context);

// For a route with Execution::spooled: sets `result` to a StreamBody, or to a rejection. `respond` handles
// the request once the body is complete.
void spool_body(PipelineContext& context, Responder respond);

}  // namespace integreat::gateway
