// SPDX-License-Identifier: Apache-2.0
// Records a finished request: metrics, access log, transaction log.
#pragma once

#include "gateway/stages/gateway.h"
#include "http/transport/application.h"

namespace integreat::gateway {

inline constexpr std::size_t logged_body_bytes_max = 16 * 1024;

// Called once per request, after its response was sent.
void log_request(Gateway& gateway, const http::Request& request, const http::RequestContext& context,
                 const http::RequestSummary& summary);

}  // namespace integreat::gateway
