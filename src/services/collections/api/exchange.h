// SPDX-License-Identifier: Apache-2.0
// Whole collections as comma-separated values, out and in (docs/data.md, "CSV"): what the caller may read,
// streamed in batches, and records that are made all or none.
#pragma once

#include "http/message/message.h"
#include "services/collections/api/operation.h"

namespace integreat::collections {

inline constexpr std::size_t import_mistakes_max = 100;

http::Response export_records(Asked& asked);
http::Reply import_records(Asked& asked);

}  // namespace integreat::collections
