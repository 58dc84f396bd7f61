// SPDX-License-Identifier: Apache-2.0
// What things of a collection are called in the database. No name in a manifest has a dot or a plus sign, so
// these cannot meet; beyond the 63 bytes of an identifier they are cut and told apart by a hash.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/model/model.h"

namespace integreat::collections {

inline constexpr std::string_view owner_role = "integreat_owner";
inline constexpr std::string_view deleted_at = "deleted_at";  // Column of a collection with soft_delete.

std::string identifier_within_limit(std::string name);

// Quoted, with its schema: "data"."students".
std::string table_of(std::string_view collection);

// Unquoted, as Postgres reports them.
std::string check_name(const Collection& collection, const Field& field);
std::string reference_name(const Collection& collection, const Field& field);
std::string unique_name(const Collection& collection, std::span<const std::string> fields);
std::string index_name(const Collection& collection, std::string_view what);

// All sets of fields that are unique together; those of one field by themselves first.
std::vector<std::vector<std::string>> unique_sets(const Collection& collection);

// The document that `q=` searches, as an expression over the columns, unqualified: compare it with @@ to use
// the index. Empty without search fields.
std::string search_document(const Collection& collection);

}  // namespace integreat::collections
