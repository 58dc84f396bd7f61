// SPDX-License-Identifier: Apache-2.0
// The stage that limits the requests of each caller and of each tenant.
#pragma once

#include "gateway/stages/pipeline_context.h"

namespace integreat::gateway {

bool limit_rate(PipelineContext& context);

// Counts the records of a finished request against the caller's budget.
void charge_records(Gateway& gateway, const http::Request& request, const http::RequestContext& context);

// Counts a request without a route, or without the credentials that it needs, against the client address.
// Returns false after a rejection, which is not kept for `integreat why`: a flood would displace what is.
bool limit_unrouted(PipelineContext& context);

// Counts a failed authentication against the client address. Returns false after a rejection.
bool limit_failed_authentication(PipelineContext& context);

}  // namespace integreat::gateway
