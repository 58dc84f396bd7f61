// SPDX-License-Identifier: Apache-2.0
// Selects the header fields of an upstream's response that are forwarded to the client, beside those that the
// gateway adds. The parser of the response has removed the hop-by-hop fields (Connection and the like)
// before.
#pragma once

#include <string_view>

#include "http/message/headers.h"

namespace integreat::http {

// Returns false for a field that the gateway sets itself (`ours`), unless several fields of that name are
// allowed, and for CORS fields: the app's manifest decides which origins may read a response, never an
// upstream, which might allow all.
bool is_forwardable(std::string_view name, const Headers& ours);

}  // namespace integreat::http
