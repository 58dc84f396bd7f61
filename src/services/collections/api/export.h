// SPDX-License-Identifier: Apache-2.0
// The export of a collection as CSV (docs/build-a-frontend/csv.md): streams the records the caller may
// read, in batches.
#pragma once

#include "http/message/message.h"
#include "services/collections/api/operation.h"

namespace integreat::collections {

http::Response export_records(CollectionRequest& request);

}  // namespace integreat::collections
