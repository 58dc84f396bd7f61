// SPDX-License-Identifier: Apache-2.0
// The handler of the change feed: server-sent events of the records the caller may read. The client resumes
// with Last-Event-ID or, where it cannot send that, with `?after=`.
#pragma once

#include "http/message/message.h"
#include "services/collections/api/operation.h"

namespace integreat::collections {

http::Response stream_changes(CollectionRequest& request);

}  // namespace integreat::collections
