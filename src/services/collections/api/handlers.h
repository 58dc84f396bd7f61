// SPDX-License-Identifier: Apache-2.0
// Handlers of the collection routes, run under the caller's database role (docs/build-a-frontend/). A
// handler parses the request, runs a query and renders the result; the database decides what the caller may
// do.
#pragma once

#include "http/message/message.h"
#include "services/collections/api/operation.h"

namespace integreat::collections {

// reads.cpp
HandlerResult list_records(CollectionRequest& request);
HandlerResult get_record(CollectionRequest& request);
HandlerResult aggregate_records(CollectionRequest& request);
http::FullResponse record_history(CollectionRequest& request);

// writes.cpp
HandlerResult create_records(CollectionRequest& request);  // One record, or a list of them atomically.
http::FullResponse patch_record(CollectionRequest& request);
http::FullResponse delete_record(CollectionRequest& request);
http::FullResponse apply_transition(CollectionRequest& request, const Transition& transition);

// export.cpp, import.cpp: collections as CSV (docs/build-a-frontend/csv.md). An export streams the records
// the caller may read in batches; an import creates all records or none.
http::Response export_records(CollectionRequest& request);
http::FullResponse import_records(CollectionRequest& request);

// changes_handler.cpp: server-sent events of the records the caller may read. The client resumes with
// Last-Event-ID or, where it cannot send that, with `?after=`.
http::Response stream_changes(CollectionRequest& request);

}  // namespace integreat::collections
