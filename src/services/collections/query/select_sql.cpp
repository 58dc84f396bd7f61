// SPDX-License-Identifier: Apache-2.0
#include "services/collections/query/select_sql.h"

#include <algorithm>

#include "services/collections/values/field_formats.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

std::string_view comparison_operator(Operator op) {
    switch (op) {
        case Operator::ne: return " <> ";
        case Operator::lt: return " < ";
        case Operator::le: return " <= ";
        case Operator::gt: return " > ";
        case Operator::ge: return " >= ";
        default: return " = ";
    }
}

// Escapes a text as a LIKE pattern. With `wildcards`, `*` matches any text; otherwise the text is a prefix.
std::string to_like_pattern(std::string_view text, bool wildcards) {
    std::string pattern;
    for (char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += wildcards && c == '*' ? '%' : c;
    }
    return wildcards ? pattern : pattern + '%';
}

std::string condition_on_list(Sql& sql, const Filter& filter) {
    auto type = sql_type(filter.field->element);
    auto name = column(*filter.field);
    if (filter.op == Operator::in)
        return name + " && " + sql.parameter(to_array_literal(filter.operands), std::string(type) + "[]");
    // Not "= ANY (column)", which cannot use a GIN index over the elements.
    auto contains = name + " @> ARRAY[" + sql.parameter(filter.operands.front(), type) + "]";
    return filter.op == Operator::ne ? "NOT (" + contains + ")" : contains;
}

std::string condition(Sql& sql, const Filter& filter) {
    auto name = column(*filter.field);
    const auto& operands = filter.operands;
    if (filter.op == Operator::null) return name + (operands.front() == "true" ? " IS NULL" : " IS NOT NULL");
    if (filter.field->type == FieldType::list) return condition_on_list(sql, filter);
    auto type = sql_type(filter.field->type);
    switch (filter.op) {
        case Operator::like:
            return name + " ILIKE " + sql.parameter(to_like_pattern(operands.front(), true), type);
        case Operator::starts:
            return name + " LIKE " + sql.parameter(to_like_pattern(operands.front(), false), type);
        case Operator::in:
            return name + " = ANY (" + sql.parameter(to_array_literal(operands), std::string(type) + "[]") +
                   ")";
        default:
            return name + std::string(comparison_operator(filter.op)) + sql.parameter(operands.front(), type);
    }
}

bool is_nullable(const Field& field) {
    return !field.required && !field.system;
}

// A sort key with its value at the end of the previous page; the record ID is the last key.
struct KeysetColumn {
    std::string name;
    std::string value;  // "$3::bigint"; empty for NULL.
    bool descending = false;
    bool nullable = false;
};

// Returns the condition of one key. NULL sorts as the largest value, the Postgres default.
std::string key_condition(const KeysetColumn& key) {
    if (key.value.empty()) return key.descending ? key.name + " IS NOT NULL" : "FALSE";
    if (key.descending) return key.name + " < " + key.value;
    auto greater = key.name + " > " + key.value;
    return key.nullable ? "(" + greater + " OR " + key.name + " IS NULL)" : greater;
}

// Returns a row comparison, which an index scan over the keys can start at. It requires a single direction
// and no NULL after the position.
std::string row_comparison(const std::vector<KeysetColumn>& keys) {
    std::string text;
    text.reserve(96);
    auto list = [&](std::string KeysetColumn::*part) {
        for (char separator = '('; const auto& key : keys) {
            (text += separator) += key.*part;
            separator = ',';
        }
        text += ')';
    };
    list(&KeysetColumn::name);
    text += keys.front().descending ? " < " : " > ";
    list(&KeysetColumn::value);
    return text;
}

std::string after_condition(const std::vector<KeysetColumn>& keys) {
    bool as_row = std::all_of(keys.begin(), keys.end(), [&](const KeysetColumn& key) {
        return key.descending == keys.front().descending && !key.value.empty() &&
               (key.descending || !key.nullable);
    });
    if (as_row) return row_comparison(keys);
    std::string any, equal_so_far;
    for (const auto& key : keys) {
        any += (any.empty() ? "(" : " OR (") + equal_so_far + key_condition(key) + ")";
        equal_so_far += key.name + (key.value.empty() ? " IS NULL" : " = " + key.value) + " AND ";
    }
    return "(" + any + ")";
}

bool id_descends(const ListQuery& query) {
    return !query.sort.empty() && query.sort.back().descending;
}

std::string where_clause(Sql& sql, const QueryScope& scope, const std::vector<Filter>& filters,
                         const std::string& search) {
    std::string all;
    auto add = [&](const std::string& part) { all += (all.empty() ? " WHERE " : " AND ") + part; };
    for (const auto& filter : filters)
        add(condition(sql, filter));
    if (!search.empty()) {
        add(search_document(*scope.collection.collection) + " @@ websearch_to_tsquery('simple', " +
            sql.parameter(search, "text") + ")");
    }
    return all;
}

std::string order_by(const ListQuery& query, const std::string& prefix) {
    std::string text = " ORDER BY ";
    for (const auto& key : query.sort)
        text += prefix + column(*key.field) + (key.descending ? " DESC, " : ", ");
    return text + prefix + "\"id\"" + (id_descends(query) ? " DESC" : "");
}

std::string position_condition(Sql& sql, const ListQuery& query, const KeysetPosition& after) {
    std::vector<KeysetColumn> keys;
    keys.reserve(query.sort.size() + 1);
    for (std::size_t i = 0; i < query.sort.size(); ++i) {
        const auto& field = *query.sort[i].field;
        auto value = after[i] ? sql.parameter(*after[i], sql_type(field.type)) : std::string();
        keys.push_back({column(field), std::move(value), query.sort[i].descending, is_nullable(field)});
    }
    keys.push_back({"\"id\"", sql.parameter(*after.back(), "uuid"), id_descends(query), false});
    return after_condition(keys);
}

// Columns of the record itself: the fields of the response, the ID, and the sort keys.
struct RecordColumns {
    std::vector<const Field*> fields;
    std::size_t index_of(const Field* field) {
        auto found = std::find(fields.begin(), fields.end(), field);
        if (found != fields.end()) return static_cast<std::size_t>(found - fields.begin());
        fields.push_back(field);
        return fields.size() - 1;
    }
};

// Returns the column list; usually that of the view, which is already rendered.
std::string record_columns(const RecordColumns& columns, const QueryScope& scope) {
    return columns.fields == scope.view.readable ? scope.view.columns : column_list(columns.fields);
}

// Joins each expanded reference by its ID, under the row policies of its own table. It stays one statement
// for any number of records: the page is limited before it is joined.
std::string join_expansions(ListSql& list, const ListQuery& query, const std::string& page,
                            const std::vector<const Field*>& fields) {
    auto columns = column_list(fields, "t.");
    std::string joins;
    auto next_column = fields.size();
    for (std::size_t i = 0; i < query.expand.size(); ++i) {
        const auto& expand = query.expand[i];
        auto output = std::find_if(list.columns.begin(), list.columns.end(), [&](const OutputColumn& column) {
            return column.field == expand.reference;
        });
        if (!expand.view->can_read()) {
            // The role may read no record of the target.
            columns += ", NULL::uuid";
            output->expanded = {{.field = expand.reference, .column = next_column++, .expanded = {}}};
            continue;
        }
        auto alias = "e" + std::to_string(i);
        columns += ", " + column_list(expand.view->readable, alias + ".");
        joins += " LEFT JOIN " + expand.target->table + " AS " + alias + " ON " + alias + ".\"id\" = t." +
                 column(*expand.reference);
        output->expanded = output_columns(expand.view->readable, next_column);
        next_column += expand.view->readable.size();
    }
    return "SELECT " + columns + " FROM (" + page + ") AS t" + joins;
}

ListSql make_list_sql(const QueryScope& scope, const ListQuery& query, RecordColumns& columns) {
    ListSql list{.sql = {}, .columns = output_columns(query.fields), .key_columns = {}};
    for (const auto& key : query.sort)
        list.key_columns.push_back(columns.index_of(key.field));
    list.key_columns.push_back(columns.index_of(scope.collection.collection->find("id")));
    return list;
}

}  // namespace

std::string column_list(const std::vector<const Field*>& fields, const std::string& prefix) {
    std::string text;
    for (const auto* field : fields)
        text += (text.empty() ? "" : ", ") + prefix + column(*field);
    return text;
}

std::string Sql::parameter(std::string value, std::string_view type) {
    parameters.emplace_back(std::move(value));
    return "$" + std::to_string(parameters.size()) + "::" + std::string(type);
}

ListSql list_sql(const QueryScope& scope, const ListQuery& query,
                 const std::optional<KeysetPosition>& after) {
    RecordColumns columns{query.fields};
    auto list = make_list_sql(scope, query, columns);
    auto& sql = list.sql;
    auto conditions = where_clause(sql, scope, query.filters, query.search);
    if (after) {
        conditions += conditions.empty() ? " WHERE " : " AND ";
        conditions += position_condition(sql, query, *after);
    }
    auto page = "SELECT " + record_columns(columns, scope) + " FROM " + scope.collection.table + conditions +
                order_by(query, "") + " LIMIT " + std::to_string(query.limit + 1);
    if (!query.expand.empty())
        page = join_expansions(list, query, page, columns.fields) + order_by(query, "t.");
    sql.text = scope.view.sql_comment + page;
    return list;
}

ListSql record_sql(const QueryScope& scope, const ListQuery& query, const std::string& id) {
    RecordColumns columns{query.fields};
    auto list = make_list_sql(scope, query, columns);
    list.key_columns = {columns.index_of(scope.collection.collection->find("version"))};
    auto page = "SELECT " + column_list(columns.fields) + " FROM " + scope.collection.table +
                " WHERE \"id\" = " + list.sql.parameter(id, "uuid");
    if (!query.expand.empty()) page = join_expansions(list, query, page, columns.fields);
    list.sql.text = scope.view.sql_comment + page;
    return list;
}

Sql aggregate_sql(const QueryScope& scope, const AggregateQuery& query) {
    static constexpr std::array function_names{"count", "sum", "avg", "min", "max"};
    Sql sql;
    auto columns = column_list(query.group);
    for (const auto& aggregate : query.select) {
        if (!columns.empty()) columns += ", ";
        columns += function_names[static_cast<std::size_t>(aggregate.operation)];
        columns += aggregate.field ? "(" + column(*aggregate.field) + ")" : "(*)";
    }
    auto text = scope.view.sql_comment + "SELECT " + columns + " FROM " + scope.collection.table +
                where_clause(sql, scope, query.filters, query.search);
    if (!query.group.empty()) {
        auto group = column_list(query.group);
        text += " GROUP BY " + group + " ORDER BY " + group;
    }
    sql.text = text + " LIMIT " + std::to_string(groups_max + 1);
    return sql;
}

}  // namespace integreat::collections
