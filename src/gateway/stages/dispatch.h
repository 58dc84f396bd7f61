// SPDX-License-Identifier: Apache-2.0
// The last stage for the head of a request: proxies it, handles it, or asks the transport for the body.
#pragma once

#include "gateway/stages/pipeline_context.h"

namespace integreat::gateway {

// `respond` handles the request once its spooled body is complete.
bool dispatch(PipelineContext& context, Responder respond);

}  // namespace integreat::gateway
