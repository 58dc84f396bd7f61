// SPDX-License-Identifier: Apache-2.0
// Pagination cursors: a keyset position, authenticated for one caller, collection, filter and order.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "services/collections/query/select_sql.h"

namespace integreat::collections {

// Serializes everything that a cursor is bound to: app, collection, role, caller, search, sort and filters.
std::string cursor_context(const QueryScope& scope, const ListQuery& query, std::string_view caller);

// Returns the position with its MAC as base64url.
std::string encode_cursor(const KeysetPosition& position, const Secret& key, std::string_view context);

// Returns nothing if the cursor was not encoded with this key in this context.
std::optional<KeysetPosition> decode_cursor(std::string_view cursor, const Secret& key,
                                            std::string_view context);

}  // namespace integreat::collections
