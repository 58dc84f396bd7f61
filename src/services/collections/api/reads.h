// SPDX-License-Identifier: Apache-2.0
// Handlers that read records, run under the caller's database role (docs/build-a-frontend/). A handler parses
// the request, runs a query and renders the result; the database decides what the caller may read.
#pragma once

#include "http/message/message.h"
#include "services/collections/api/operation.h"

namespace integreat::collections {

HandlerResult list_records(CollectionRequest& request);
HandlerResult get_record(CollectionRequest& request);
HandlerResult aggregate_records(CollectionRequest& request);
http::FullResponse record_history(CollectionRequest& request);

}  // namespace integreat::collections
