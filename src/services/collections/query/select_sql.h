// SPDX-License-Identifier: Apache-2.0
// SELECT statements of parsed queries. Values are passed as parameters only, so no part of them becomes SQL.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/driver/pool.h"
#include "services/collections/query/query_parser.h"
#include "services/collections/values/json_rendering.h"

namespace integreat::collections {

struct Sql {
    std::string text;
    std::vector<postgres::Value> parameters;

    // Adds a parameter and returns its placeholder: "$3::bigint".
    std::string parameter(std::string value, std::string_view type);
};

struct ListSql {
    Sql sql;
    std::vector<OutputColumn> columns;
    std::vector<std::size_t> key_columns;  // Result columns of the sort keys; the record ID is the last.
};

// Sort key values of a page's last row, where the next page starts.
using KeysetPosition = std::vector<postgres::Value>;

// Returns the columns of the fields, separated by commas, each with the prefix: t."id", t."name".
std::string column_list(const std::vector<const Field*>& fields, const std::string& prefix = "");

// Selects one row more than the limit, which shows whether there is a next page.
ListSql list_sql(const QueryScope& scope, const ListQuery& query, const std::optional<KeysetPosition>& after);
ListSql record_sql(const QueryScope& scope, const ListQuery& query, const std::string& id);
Sql aggregate_sql(const QueryScope& scope, const AggregateQuery& query);

}  // namespace integreat::collections
