// SPDX-License-Identifier: Apache-2.0
// The query string of a list or an aggregate becomes one SQL statement with parameters. Whatever a query
// names (filters, sort keys, fields, what to expand) must be visible to the role that asks; the rest "is not
// known", as if it did not exist. Values travel as parameters only, so nothing of them is ever SQL.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "postgres/driver/pool.h"
#include "services/collections/values/json_rendering.h"
#include "services/collections/views/role_view.h"

namespace integreat::collections {

inline constexpr int page_default = 20;
inline constexpr int page_max = 200;
inline constexpr int groups_max = 1'000;
inline constexpr std::size_t sort_keys_max = 3;
inline constexpr std::int64_t sorted_characters_max = 500;
inline constexpr std::size_t filters_max = 20;
inline constexpr std::size_t choices_max = 100;  // Of in.(…).
inline constexpr std::size_t search_bytes_max = 200;

using QueryPairs = std::vector<std::pair<std::string, std::string>>;

enum class Operator { eq, ne, lt, le, gt, ge, in, like, starts, null };

struct Filter {
    const Field* field = nullptr;
    Operator op = Operator::eq;
    std::vector<std::string> operands;  // Checked, as Postgres reads them; of null: "true" or "false".
};

struct SortedBy {
    const Field* field = nullptr;
    bool descending = false;
};

struct Expanded {
    const Field* reference = nullptr;
    const CollectionPlan* target = nullptr;
    const View* view = nullptr;  // Of the target.
};

struct ListQuery {
    std::vector<const Field*> fields;  // To be shown.
    std::vector<Filter> filters;
    std::string search;          // q=; empty: none.
    std::vector<SortedBy> sort;  // The record's id is the last.
    int limit = page_default;
    std::string next;  // The cursor as it came; empty: the first page.
    std::vector<Expanded> expand;
};

// What the list of one collection may be asked for by one role.
struct Reader {
    const ModelPlan& plan;
    const CollectionPlan& collection;
    const View& view;
};

// Mistakes have the parameter in the place of the pointer: "?sort".
ListQuery check_list(const Reader& reader, const QueryPairs& pairs, Mistakes& mistakes);
// Of all records: without limit=, next= and expand=, ordered by id unless the query says otherwise.
ListQuery check_export(const Reader& reader, const QueryPairs& pairs, Mistakes& mistakes);
// Only fields= and expand=, of a single record.
ListQuery check_single(const Reader& reader, const QueryPairs& pairs, Mistakes& mistakes);

struct Aggregate {
    enum class Operation { count, sum, avg, min, max } operation = Operation::count;
    const Field* field = nullptr;  // Null of count.
    std::string name;              // "avg_gpa"
};

struct AggregateQuery {
    std::vector<Aggregate> select;
    std::vector<const Field*> group;
    std::vector<Filter> filters;
    std::string search;
};

AggregateQuery check_aggregate(const Reader& reader, const QueryPairs& pairs, Mistakes& mistakes);

// limit= and next= of a record's history.
struct HistoryPage {
    int limit = page_default;
    std::optional<std::int64_t> before;
};
HistoryPage check_history(const QueryPairs& pairs, Mistakes& mistakes);

// ---- SQL

struct Sql {
    std::string text;
    std::vector<postgres::Value> parameters;

    std::string parameter(std::string value, std::string_view type);  // "$3::bigint"
};

struct ListSql {
    Sql sql;
    std::vector<Shown> shown;
    std::vector<std::size_t> keys;  // Columns with the values of the sort keys, the id's last.
};

// Where the page before ended: the values of its last row.
using Position = std::vector<postgres::Value>;

// One row more than the limit, to know whether there is a next page.
ListSql list_sql(const Reader& reader, const ListQuery& query, const std::optional<Position>& after);
ListSql single_sql(const Reader& reader, const ListQuery& query, const std::string& id);
Sql aggregate_sql(const Reader& reader, const AggregateQuery& query);

// ---- Cursors: a position, sealed for one caller, collection, filter and order.

// Everything of a list that its cursors are bound to.
std::string context_of(const Reader& reader, const ListQuery& query, std::string_view caller);

std::string seal(const Position& position, const Secret& key, std::string_view context);
// Nothing if it was not sealed with this key in this context.
std::optional<Position> unseal(std::string_view cursor, const Secret& key, std::string_view context);

}  // namespace integreat::collections
