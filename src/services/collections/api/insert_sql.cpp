// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/insert_sql.h"

#include "services/collections/values/field_formats.h"

namespace integreat::collections {

std::string parameter_type(const Field& field) {
    return field.type == FieldType::list ? std::string(sql_type(field.element)) + "[]"
                                         : std::string(sql_type(field.type));
}

Sql insert_sql(const CollectionRequest& request, const ColumnValues& columns, const std::string& returning) {
    Sql sql;
    std::string values;
    for (std::size_t i = 0; i < columns.fields.size(); ++i) {
        sql.parameters.push_back(columns.values[i]);
        values += (i == 0 ? "$" : ", $") + std::to_string(i + 1) + "::" + parameter_type(*columns.fields[i]);
    }
    sql.text = request.view.sql_comment + "INSERT INTO " + request.collection.table + " AS t";
    if (columns.fields.empty())
        sql.text += " DEFAULT VALUES";
    else
        sql.text += " (" + column_list(columns.fields) + ") VALUES (" + values + ")";
    sql.text += returning;
    return sql;
}

Sql insert_many_sql(const CollectionRequest& request, std::span<const ColumnValues> records,
                    const std::string& returning) {
    const auto& fields = records.front().fields;
    if (fields.empty()) return insert_sql(request, records.front(), returning);
    Sql sql;
    std::string arrays, names, values;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        std::vector<postgres::Value> all;
        for (const auto& record : records)
            all.push_back(record.values[i]);
        bool list =
            fields[i]->type == FieldType::list;  // Passed as text: an array of arrays must be rectangular.
        auto name = "c" + std::to_string(i);
        arrays += (i == 0 ? "" : ", ") +
                  sql.parameter(to_array_literal(all),
                                (list ? "text" : std::string(sql_type(fields[i]->type))) + "[]");
        names += name + ", ";
        values += (i == 0 ? "u." : ", u.") + name + (list ? "::" + parameter_type(*fields[i]) : "");
    }
    sql.text = request.view.sql_comment + "INSERT INTO " + request.collection.table + " AS t (" +
               column_list(fields) + ") SELECT " + values + " FROM unnest(" + arrays +
               ") WITH ORDINALITY AS u(" + names + "place) ORDER BY u.place" + returning;
    return sql;
}

Result<void, http::FullResponse> ScopedTransaction::begin() {
    if (current_transaction(request.http_context)) return {};
    auto transaction = request.pool.begin(request.http_context.tenant, request.http_context.deadline);
    if (!transaction)
        return reject_query_error(request, {.rows = std::move(transaction).error(), .server_error = {}});
    owned = std::move(*transaction);
    request.http_context.attachments.set(&*owned);
    return {};
}

Result<void, http::FullResponse> ScopedTransaction::commit() {
    if (!owned) return {};
    request.http_context.attachments.set<postgres::Transaction>(nullptr);
    auto done = owned->commit();
    if (done) return {};
    return reject_query_error(request,
                              {.rows = std::move(done).error(), .server_error = owned->server_error()});
}

void ScopedTransaction::roll_back() {
    if (!owned) return;
    request.http_context.attachments.set<postgres::Transaction>(nullptr);
    owned.reset();
}

ScopedTransaction::~ScopedTransaction() {
    roll_back();
}

}  // namespace integreat::collections
