// SPDX-License-Identifier: Apache-2.0
// New records on their way into a table: one, or several alike in one statement, and the transaction that
// makes several statements all or none. Values travel as parameters only, so nothing of them is ever SQL.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "services/collections/api/operation.h"
#include "services/collections/api/record_body.h"

namespace integreat::collections {

// "\"name\", \"email\""
std::string column_list(const std::vector<const Field*>& fields);
// The type of a column, as a parameter for the whole of it.
std::string column_type(const Field& field);

// `returning` is SQL: " RETURNING t.\"id\"", or empty.
Sql insert_sql(const Asked& asked, const Written& written, const std::string& returning);

// Several records with values for the same fields, in one statement: each column travels as an array. Of
// those without any value, only the first.
Sql insert_many_sql(const Asked& asked, std::span<const Written> records, const std::string& returning);

// Work for a transaction of its own if the call has none yet, which then ends with it.
struct InTransaction {
    Asked& asked;
    std::optional<postgres::Transaction> own = std::nullopt;

    std::optional<http::Reply> begin();
    std::optional<http::Reply> commit();
    void roll_back();  // Its own, which gives its connection back; the call's waits for whoever began it.
    ~InTransaction();
};

}  // namespace integreat::collections
