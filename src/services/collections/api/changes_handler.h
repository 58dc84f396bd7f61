// SPDX-License-Identifier: Apache-2.0
// GET .../{collection}/changes: server-sent events of what the caller may read, resumable with Last-Event-ID
// or, where a client cannot send that, `?after=`.
#pragma once

#include "services/collections/api/operation.h"

namespace integreat::collections {

http::Response stream_changes(Asked& asked);

}  // namespace integreat::collections
