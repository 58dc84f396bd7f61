// SPDX-License-Identifier: Apache-2.0
// CORS of the services that have no settings of their own for it, as AWS answers there: every origin, all
// fields that SDKs read.
#pragma once

#include "cloud/aws/core/operation_context.h"

namespace integreat::cloud {

// A preflight (Fetch standard): OPTIONS with Origin and Access-Control-Request-Method.
bool is_preflight(const http::Request& request);

http::Reply open_preflight(const http::Request& request);
void add_open_cors(const http::Request& request, http::Headers& headers);

}  // namespace integreat::cloud
