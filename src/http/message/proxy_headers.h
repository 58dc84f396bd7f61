// SPDX-License-Identifier: Apache-2.0
// Selects the header fields of an upstream's response that are forwarded to the client, beside those that the
// gateway adds. The parser of the response has removed the hop-by-hop fields (Connection and the like)
// before.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/text/ascii.h"
#include "http/message/headers.h"

namespace integreat::http {

// Returns false for a field that the gateway sets itself (`ours`), unless several fields of that name are
// allowed; for CORS fields: the app's manifest decides which origins may read a response, never an upstream,
// which might allow all; and for fields that have an effect on the whole host, which other apps share.
bool is_forwardable(std::string_view name, const Headers& ours);

// Limits a cookie of an upstream to its app, because apps share a host: returns the value of Set-Cookie with
// the path /v1/apps/APP/ and without Domain (RFC 6265 sections 5.2.3 and 5.2.4). Returns nullopt for a cookie
// that cannot be limited: a name with the prefix "__Host-" requires the path "/".
std::optional<std::string> limit_cookie(std::string_view set_cookie, const TenantId& app);

// Calls `add` with the name and value of each field of an upstream's response that is forwarded.
template <class Fields, class Add>
void forward_response_fields(const Fields& fields, const Headers& ours, const TenantId& app, Add add) {
    for (auto [name, value] : fields) {
        if (!is_forwardable(name, ours)) continue;
        if (!iequals(name, "Set-Cookie")) {
            add(name, value);
        } else if (auto cookie = limit_cookie(value, app)) {
            add(name, std::string_view(*cookie));
        }
    }
}

}  // namespace integreat::http
