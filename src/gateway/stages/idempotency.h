// SPDX-License-Identifier: Apache-2.0
// Idempotency-Key: a request with a key is executed once. On a transactional route the work and the record of
// the key are one transaction in the tenant's database: both are stored, or neither is. All other work runs
// under a lease in the platform's database, which is claimed before and completed after. The outcome of an
// interrupted request is unknown, so it is not executed again, unless the upstream itself honours the key.
// Responses of upstreams are buffered, not streamed.
#pragma once

#include <string>

#include "gateway/idempotency/store.h"
#include "gateway/stages/pipeline_context.h"

namespace integreat::gateway {

// The stage for requests with an Idempotency-Key and for transactional routes. Returns true for all others.
bool run_idempotent(PipelineContext& context);

// Returns the key without quotes, if the route accepts keys and the request has one; else an empty string.
Result<std::string> parse_idempotency_key(const http::Route& route, const http::Headers& headers);

// Makes the record that identifies the request: caller, key and fingerprint.
Result<IdempotencyKey> make_idempotency_record(const http::Request& request,
                                               const http::RequestContext& request_context, std::string key);

}  // namespace integreat::gateway
