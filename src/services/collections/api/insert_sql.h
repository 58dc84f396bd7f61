// SPDX-License-Identifier: Apache-2.0
// INSERT statements for new records, one or a batch, and the transaction that makes several statements
// atomic. Values are passed as parameters only, so no part of them becomes SQL.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "services/collections/api/operation.h"
#include "services/collections/api/record_body.h"

namespace integreat::collections {

// Returns the type that a parameter for the whole column is cast to: "bigint", "text[]".
std::string parameter_type(const Field& field);

// `returning` is SQL: " RETURNING t.\"id\"", or empty.
Sql insert_sql(const CollectionRequest& request, const ColumnValues& columns, const std::string& returning);

// Returns one statement for several records with values for the same fields: each column is passed as an
// array. Records without any values cannot be batched: only the first one is inserted.
Sql insert_many_sql(const CollectionRequest& request, std::span<const ColumnValues> records,
                    const std::string& returning);

// Begins a transaction unless the request already has one, and rolls it back on destruction.
struct ScopedTransaction {
    CollectionRequest& request;
    std::optional<postgres::Transaction> owned = std::nullopt;

    // The error is the problem response.
    Result<void, http::FullResponse> begin();
    Result<void, http::FullResponse> commit();
    // Rolls back the owned transaction and returns its connection. A transaction of the request is left to
    // its owner.
    void roll_back();
    ~ScopedTransaction();
};

}  // namespace integreat::collections
