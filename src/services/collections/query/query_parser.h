// SPDX-License-Identifier: Apache-2.0
// Parses the query string of a list, an export, a single record, an aggregate or a history. Every field that
// a query names (filters, sort keys, fields, expansions) must be readable by the caller's role; any other
// field is reported as unknown, as if it did not exist.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/collections/values/field_validator.h"
#include "services/collections/views/role_view.h"

namespace integreat::collections {

inline constexpr int page_default = 20;
inline constexpr int page_max = 200;
inline constexpr int groups_max = 1'000;
inline constexpr std::int64_t sorted_characters_max = 500;
inline constexpr std::size_t filters_max = 20;
// Cost of all `like` filters of a request: one each, and one for each `*`. A pattern with many wildcards
// takes time that grows with their number and the length of the text.
inline constexpr std::size_t pattern_cost_max = 20;
inline constexpr std::size_t anonymous_pattern_cost_max = 8;
inline constexpr std::size_t choices_max = 100;  // Values of in.(…).
inline constexpr std::size_t search_bytes_max = 200;

using QueryPairs = std::vector<std::pair<std::string, std::string>>;

enum class Operator { eq, ne, lt, le, gt, ge, in, like, starts, null };

struct Filter {
    const Field* field = nullptr;
    Operator op = Operator::eq;
    std::vector<std::string> operands;  // Validated Postgres texts; for null: "true" or "false".
};

struct SortKey {
    const Field* field = nullptr;
    bool descending = false;
};

struct Expansion {
    const Field* reference = nullptr;
    const CollectionPlan* target = nullptr;
    const RoleView* view = nullptr;  // The caller's view of the target.
};

struct ListQuery {
    std::vector<const Field*> fields;  // Fields of the response.
    std::vector<Filter> filters;
    std::string search;         // q=; empty without.
    std::vector<SortKey> sort;  // The record ID is appended as the last key.
    int limit = page_default;
    std::string next;  // Encoded cursor; empty for the first page.
    std::vector<Expansion> expand;
};

// The collection and role that a query is parsed for.
struct QueryScope {
    const ModelPlan& plan;
    const CollectionPlan& collection;
    const RoleView& view;
};

// Parses the query of a list. Errors carry the parameter name in place of a JSON pointer: "?sort".
ListQuery parse_list_query(const QueryScope& scope, const QueryPairs& pairs, ValidationErrors& errors);
// Parses the query of an export of all records: no limit=, next= and expand=; the default order is by ID.
ListQuery parse_export_query(const QueryScope& scope, const QueryPairs& pairs, ValidationErrors& errors);
// Parses the query of a single record: fields= and expand= only.
ListQuery parse_record_query(const QueryScope& scope, const QueryPairs& pairs, ValidationErrors& errors);

struct Aggregate {
    enum class Operation { count, sum, avg, min, max } operation = Operation::count;
    const Field* field = nullptr;  // Null for count.
    std::string name;              // "avg_gpa"
};

struct AggregateQuery {
    std::vector<Aggregate> select;
    std::vector<const Field*> group;
    std::vector<Filter> filters;
    std::string search;
};

AggregateQuery parse_aggregate_query(const QueryScope& scope, const QueryPairs& pairs,
                                     ValidationErrors& errors);

// Parameters limit= and next= of a record's history.
struct HistoryPage {
    int limit = page_default;
    std::optional<std::int64_t> before;
};
HistoryPage parse_history_query(const QueryPairs& pairs, ValidationErrors& errors);

}  // namespace integreat::collections
