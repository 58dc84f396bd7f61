// SPDX-License-Identifier: Apache-2.0
// Names of a collection's database objects. No name in a manifest contains a dot or a plus sign, so these
// names cannot collide. A name longer than the 63 bytes of a Postgres identifier is truncated and made unique
// by a hash.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "services/collections/model.h"

namespace integreat::collections {

inline constexpr std::string_view owner_role = "integreat_owner";
inline constexpr std::string_view deleted_at = "deleted_at";  // Column of a collection with soft_delete.

std::string truncate_identifier(std::string name);

// Returns the quoted table name with its schema: "data"."students".
std::string qualified_table(std::string_view collection);

// Unquoted constraint and index names, as Postgres reports them.
std::string check_constraint_name(const Collection& collection, const Field& field);
std::string foreign_key_name(const Collection& collection, const Field& field);
std::string unique_constraint_name(const Collection& collection, std::span<const std::string> fields);
std::string index_name(const Collection& collection, std::string_view suffix);

// Returns all sets of fields that are unique together; sets of a single field come first.
std::vector<std::vector<std::string>> unique_sets(const Collection& collection);

// Returns the tsvector expression that `q=` searches, over unqualified columns: match it with @@ to use the
// index. Empty without search fields.
std::string search_document(const Collection& collection);

}  // namespace integreat::collections
