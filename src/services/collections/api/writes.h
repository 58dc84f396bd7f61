// SPDX-License-Identifier: Apache-2.0
// Handlers that create, change and delete records, run under the caller's database role. The database decides
// what the caller may do.
#pragma once

#include "http/message/message.h"
#include "services/collections/api/operation.h"

namespace integreat::collections {

HandlerResult create_records(CollectionRequest& request);  // One record, or a list of them atomically.
http::FullResponse patch_record(CollectionRequest& request);
http::FullResponse delete_record(CollectionRequest& request);
http::FullResponse apply_transition(CollectionRequest& request, const Transition& transition);

}  // namespace integreat::collections
