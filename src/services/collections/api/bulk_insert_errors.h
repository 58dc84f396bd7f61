// SPDX-License-Identifier: Apache-2.0
// Finds the rows that made a bulk insert fail by bisecting the batch in a transaction that is rolled back.
// Postgres reports one violation per row, so each row gets one error; of two rows that violate a unique
// constraint together, the second one gets it. Concurrent changes by others may resolve the violations
// meanwhile: then no row fails.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "services/collections/api/operation.h"
#include "services/collections/api/record_body.h"

namespace integreat::collections {

inline constexpr std::size_t bulk_insert_errors_max = 100;  // Maximum number of reported errors.

class BulkInsertErrors {
public:
    // Begins its own transaction. The request's transaction, which has failed, is set aside until
    // destruction.
    explicit BulkInsertErrors(CollectionRequest& request);
    ~BulkInsertErrors();
    BulkInsertErrors(const BulkInsertErrors&) = delete;

    using LocationOf = std::function<RowLocation(std::size_t index)>;

    // Inserts `records`, which all have the same fields, and collects their errors. `location_of` returns the
    // location of the record at an index. Returns false once enough errors are known or the database is
    // unavailable.
    bool check(std::span<const ColumnValues> records, const LocationOf& location_of);

    // Returns one problem with the locations of all errors; nullopt if no record failed.
    std::optional<http::FullResponse> response();

private:
    bool check_range(std::span<const ColumnValues> records, std::size_t first, const LocationOf& location_of);
    void add_error(const QueryOutcome& outcome, const RowLocation& location);

    CollectionRequest& request_;
    postgres::Transaction* request_transaction_;
    std::optional<postgres::Transaction> transaction_;
    std::optional<DatabaseProblem> problem_;  // Problem of the first failed record, with the errors of all.
    std::size_t failed_records_ = 0;
    bool done_ = false;
};

}  // namespace integreat::collections
