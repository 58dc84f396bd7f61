// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/insert_sql.h"

namespace integreat::collections {

std::string column_list(const std::vector<const Field*>& fields) {
    std::string list;
    for (const auto* field : fields)
        list += (list.empty() ? "" : ", ") + column(*field);
    return list;
}

// The type of a column, as a parameter for the whole of it.
std::string column_type(const Field& field) {
    return field.type == FieldType::list ? std::string(sql_type(field.element)) + "[]"
                                         : std::string(sql_type(field.type));
}

Sql insert_sql(const Asked& asked, const Written& written, const std::string& returning) {
    Sql sql;
    std::string values;
    for (std::size_t i = 0; i < written.fields.size(); ++i) {
        sql.parameters.push_back(written.values[i]);
        values += (i == 0 ? "$" : ", $") + std::to_string(i + 1) + "::" + column_type(*written.fields[i]);
    }
    sql.text = asked.view.comment + "INSERT INTO " + asked.collection.table + " AS t";
    if (written.fields.empty())
        sql.text += " DEFAULT VALUES";
    else
        sql.text += " (" + column_list(written.fields) + ") VALUES (" + values + ")";
    sql.text += returning;
    return sql;
}

Sql insert_many_sql(const Asked& asked, std::span<const Written> records, const std::string& returning) {
    const auto& fields = records.front().fields;
    if (fields.empty()) return insert_sql(asked, records.front(), returning);
    Sql sql;
    std::string arrays, names, values;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        std::vector<postgres::Value> all;
        for (const auto& record : records)
            all.push_back(record.values[i]);
        bool list = fields[i]->type == FieldType::list;  // An array of lists would have to be rectangular.
        auto name = "c" + std::to_string(i);
        arrays += (i == 0 ? "" : ", ") +
                  sql.parameter(array_literal(all),
                                (list ? "text" : std::string(sql_type(fields[i]->type))) + "[]");
        names += name + ", ";
        values += (i == 0 ? "u." : ", u.") + name + (list ? "::" + column_type(*fields[i]) : "");
    }
    sql.text = asked.view.comment + "INSERT INTO " + asked.collection.table + " AS t (" +
               column_list(fields) + ") SELECT " + values + " FROM unnest(" + arrays +
               ") WITH ORDINALITY AS u(" + names + "place) ORDER BY u.place" + returning;
    return sql;
}

std::optional<http::Reply> InTransaction::begin() {
    if (asked.call.transaction) return {};
    auto transaction = asked.pool.begin(asked.call.tenant, asked.call.deadline);
    if (!transaction) return refuse_statement(asked, {.rows = std::move(transaction).error(), .refusal = {}});
    own = std::move(*transaction);
    asked.call.transaction = &*own;
    return {};
}

std::optional<http::Reply> InTransaction::commit() {
    if (!own) return {};
    asked.call.transaction = nullptr;
    auto done = own->commit();
    if (done) return {};
    return refuse_statement(asked, {.rows = std::move(done).error(), .refusal = own->refusal()});
}

void InTransaction::roll_back() {
    if (!own) return;
    asked.call.transaction = nullptr;
    own.reset();
}

InTransaction::~InTransaction() {
    roll_back();
}

}  // namespace integreat::collections
