// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

#include "base/result.h"
#include "http/message/message.h"

namespace integreat::http {

// Reads a streaming response into a full one, for transports that cannot stream (Lambda) and for tests. Waits
// up to `timeout` for each call of the waker; then an endless response ends and any other is
// Fault::unavailable. A body of more than `max_bytes` is Fault::exhausted.
Result<FullResponse> buffer_response(StreamingResponse stream, std::size_t max_bytes,
                                     std::chrono::milliseconds timeout);

}  // namespace integreat::http
