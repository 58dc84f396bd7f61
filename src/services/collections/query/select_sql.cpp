// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "services/collections/query/query_parser.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

std::string_view sign_of(Operator op) {
    switch (op) {
        case Operator::ne: return " <> ";
        case Operator::lt: return " < ";
        case Operator::le: return " <= ";
        case Operator::gt: return " > ";
        case Operator::ge: return " >= ";
        default: return " = ";
    }
}

// As a pattern of LIKE that means the text itself, but for `*`, which means anything.
std::string pattern_of(std::string_view text, bool stars) {
    std::string pattern;
    for (char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += stars && c == '*' ? '%' : c;
    }
    return stars ? pattern : pattern + '%';
}

std::string condition_on_list(Sql& sql, const Filter& filter) {
    auto type = sql_type(filter.field->element);
    auto name = column(*filter.field);
    if (filter.op == Operator::in)
        return name + " && " + sql.parameter(array_literal(filter.operands), std::string(type) + "[]");
    // Not "= ANY (column)", which an index over the elements does not serve.
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
            return name + " ILIKE " + sql.parameter(pattern_of(operands.front(), true), type);
        case Operator::starts:
            return name + " LIKE " + sql.parameter(pattern_of(operands.front(), false), type);
        case Operator::in:
            return name + " = ANY (" + sql.parameter(array_literal(operands), std::string(type) + "[]") + ")";
        default: return name + std::string(sign_of(filter.op)) + sql.parameter(operands.front(), type);
    }
}

bool may_be_null(const Field& field) {
    return !field.required && !field.system;
}

// A key of the order with where the page before ended; the record's id is the last of them.
struct Key {
    std::string name;
    std::string value;  // "$3::bigint"; empty for NULL.
    bool descending = false;
    bool nullable = false;
};

// NULL sorts as the largest value, as Postgres has it by default.
std::string after_key(const Key& key) {
    if (key.value.empty()) return key.descending ? key.name + " IS NOT NULL" : "FALSE";
    if (key.descending) return key.name + " < " + key.value;
    auto greater = key.name + " > " + key.value;
    return key.nullable ? "(" + greater + " OR " + key.name + " IS NULL)" : greater;
}

// A comparison of rows is what an index over the keys can begin at; it needs one direction, and no NULL that
// would come later.
std::string after_as_row(const std::vector<Key>& keys) {
    std::string text;
    text.reserve(96);
    auto list = [&](std::string Key::*part) {
        for (char before = '('; const auto& key : keys) {
            (text += before) += key.*part;
            before = ',';
        }
        text += ')';
    };
    list(&Key::name);
    text += keys.front().descending ? " < " : " > ";
    list(&Key::value);
    return text;
}

std::string after_condition(const std::vector<Key>& keys) {
    bool as_row = std::all_of(keys.begin(), keys.end(), [&](const Key& key) {
        return key.descending == keys.front().descending && !key.value.empty() &&
               (key.descending || !key.nullable);
    });
    if (as_row) return after_as_row(keys);
    std::string any, equal_so_far;
    for (const auto& key : keys) {
        any += (any.empty() ? "(" : " OR (") + equal_so_far + after_key(key) + ")";
        equal_so_far += key.name + (key.value.empty() ? " IS NULL" : " = " + key.value) + " AND ";
    }
    return "(" + any + ")";
}

bool last_descends(const ListQuery& query) {
    return !query.sort.empty() && query.sort.back().descending;
}

std::string where(Sql& sql, const Reader& reader, const std::vector<Filter>& filters,
                  const std::string& search) {
    std::string all;
    auto add = [&](const std::string& part) { all += (all.empty() ? " WHERE " : " AND ") + part; };
    for (const auto& filter : filters)
        add(condition(sql, filter));
    if (!search.empty()) {
        add(search_document(*reader.collection.collection) + " @@ websearch_to_tsquery('simple', " +
            sql.parameter(search, "text") + ")");
    }
    return all;
}

std::string order(const ListQuery& query, const std::string& prefix) {
    std::string text = " ORDER BY ";
    for (const auto& key : query.sort)
        text += prefix + column(*key.field) + (key.descending ? " DESC, " : ", ");
    return text + prefix + "\"id\"" + (last_descends(query) ? " DESC" : "");
}

std::string position_condition(Sql& sql, const ListQuery& query, const Position& after) {
    std::vector<Key> keys;
    keys.reserve(query.sort.size() + 1);
    for (std::size_t i = 0; i < query.sort.size(); ++i) {
        const auto& field = *query.sort[i].field;
        auto value = after[i] ? sql.parameter(*after[i], sql_type(field.type)) : std::string();
        keys.push_back({column(field), std::move(value), query.sort[i].descending, may_be_null(field)});
    }
    keys.push_back({"\"id\"", sql.parameter(*after.back(), "uuid"), last_descends(query), false});
    return after_condition(keys);
}

// The columns of the record itself: those shown, the id, and those that the order needs besides.
struct Columns {
    std::vector<const Field*> fields;
    std::size_t place(const Field* field) {
        auto found = std::find(fields.begin(), fields.end(), field);
        if (found != fields.end()) return static_cast<std::size_t>(found - fields.begin());
        fields.push_back(field);
        return fields.size() - 1;
    }
};

std::string names(const std::vector<const Field*>& fields, const std::string& prefix) {
    std::string text;
    for (const auto* field : fields)
        text += (text.empty() ? "" : ", ") + prefix + column(*field);
    return text;
}

// Usually they are those of the view.
std::string names_of(const Columns& columns, const Reader& reader) {
    return columns.fields == reader.view.readable ? reader.view.columns : names(columns.fields, "");
}

// Joins each expanded reference by its id, under the policies of its own table. One statement, however many
// records: a page is cut before it is joined.
std::string expanded(ListSql& list, const ListQuery& query, const std::string& page,
                     const std::vector<const Field*>& fields) {
    auto columns = names(fields, "t.");
    std::string joins;
    auto next_column = fields.size();
    for (std::size_t i = 0; i < query.expand.size(); ++i) {
        const auto& expand = query.expand[i];
        auto shown = std::find_if(list.shown.begin(), list.shown.end(),
                                  [&](const Shown& part) { return part.field == expand.reference; });
        if (!expand.view->reads()) {
            // Nobody of this role reads any of those records.
            columns += ", NULL::uuid";
            shown->expanded = {{.field = expand.reference, .column = next_column++, .expanded = {}}};
            continue;
        }
        auto alias = "e" + std::to_string(i);
        columns += ", " + names(expand.view->readable, alias + ".");
        joins += " LEFT JOIN " + expand.target->table + " AS " + alias + " ON " + alias + ".\"id\" = t." +
                 column(*expand.reference);
        shown->expanded = shown_in_order(expand.view->readable, next_column);
        next_column += expand.view->readable.size();
    }
    return "SELECT " + columns + " FROM (" + page + ") AS t" + joins;
}

ListSql start(const Reader& reader, const ListQuery& query, Columns& columns) {
    ListSql list{.sql = {}, .shown = shown_in_order(query.fields), .keys = {}};
    for (const auto& key : query.sort)
        list.keys.push_back(columns.place(key.field));
    list.keys.push_back(columns.place(reader.collection.collection->find("id")));
    return list;
}

}  // namespace

std::string Sql::parameter(std::string value, std::string_view type) {
    parameters.emplace_back(std::move(value));
    return "$" + std::to_string(parameters.size()) + "::" + std::string(type);
}

ListSql list_sql(const Reader& reader, const ListQuery& query, const std::optional<Position>& after) {
    Columns columns{query.fields};
    auto list = start(reader, query, columns);
    auto& sql = list.sql;
    auto conditions = where(sql, reader, query.filters, query.search);
    if (after) {
        conditions += conditions.empty() ? " WHERE " : " AND ";
        conditions += position_condition(sql, query, *after);
    }
    auto page = "SELECT " + names_of(columns, reader) + " FROM " + reader.collection.table + conditions +
                order(query, "") + " LIMIT " + std::to_string(query.limit + 1);
    if (!query.expand.empty()) page = expanded(list, query, page, columns.fields) + order(query, "t.");
    sql.text = reader.view.comment + page;
    return list;
}

ListSql single_sql(const Reader& reader, const ListQuery& query, const std::string& id) {
    Columns columns{query.fields};
    auto list = start(reader, query, columns);
    list.keys = {columns.place(reader.collection.collection->find("version"))};
    auto page = "SELECT " + names(columns.fields, "") + " FROM " + reader.collection.table +
                " WHERE \"id\" = " + list.sql.parameter(id, "uuid");
    if (!query.expand.empty()) page = expanded(list, query, page, columns.fields);
    list.sql.text = reader.view.comment + page;
    return list;
}

Sql aggregate_sql(const Reader& reader, const AggregateQuery& query) {
    static constexpr std::array names_of_operations{"count", "sum", "avg", "min", "max"};
    Sql sql;
    auto columns = names(query.group, "");
    for (const auto& aggregate : query.select) {
        if (!columns.empty()) columns += ", ";
        columns += names_of_operations[static_cast<std::size_t>(aggregate.operation)];
        columns += aggregate.field ? "(" + column(*aggregate.field) + ")" : "(*)";
    }
    auto text = reader.view.comment + "SELECT " + columns + " FROM " + reader.collection.table +
                where(sql, reader, query.filters, query.search);
    if (!query.group.empty()) {
        auto group = names(query.group, "");
        text += " GROUP BY " + group + " ORDER BY " + group;
    }
    sql.text = text + " LIMIT " + std::to_string(groups_max + 1);
    return sql;
}

}  // namespace integreat::collections
