// SPDX-License-Identifier: Apache-2.0
// The import of records from CSV (docs/build-a-frontend/csv.md): creates all of them or none.
#pragma once

#include "http/message/message.h"
#include "services/collections/api/operation.h"

namespace integreat::collections {

http::FullResponse import_records(CollectionRequest& request);

}  // namespace integreat::collections
