// SPDX-License-Identifier: Apache-2.0
// Records a finished request: metrics, access log, transaction log.
#pragma once

#include "gateway/pipeline/pipeline.h"

namespace integreat::gateway {

// Called once per request, after its response was sent.
void log_request(Gateway& gateway, const http::Request& request, const http::RequestContext& context,
                 const http::RequestSummary& summary);

}  // namespace integreat::gateway
