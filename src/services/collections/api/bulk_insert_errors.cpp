// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/bulk_insert_errors.h"

#include "services/collections/api/insert_sql.h"

namespace integreat::collections {

BulkInsertErrors::BulkInsertErrors(CollectionRequest& request)
    : request_(request), request_transaction_(current_transaction(request.http_context)) {
    request.http_context.attachments.set<postgres::Transaction>(nullptr);
    auto transaction = request.pool.begin(request.http_context.tenant, request.http_context.deadline);
    done_ = !transaction;
    if (!transaction) return;
    transaction_ = *std::move(transaction);
    request_.http_context.attachments.set(&*transaction_);
}

BulkInsertErrors::~BulkInsertErrors() {
    request_.http_context.attachments.set(request_transaction_);
}

void BulkInsertErrors::add_error(const QueryOutcome& outcome, const RowLocation& location) {
    auto found = database_problem_from(request_, outcome, location);
    if (!found) {  // Not a fault of the record: the database is unavailable, or the deadline has passed.
        done_ = true;
        return;
    }
    ++failed_records_;
    if (!problem_) {
        problem_ = std::move(found);
    } else {
        auto& errors = problem_->problem.errors;
        for (auto& error : found->problem.errors)
            errors.push_back(std::move(error));
    }
    if (problem_->problem.errors.size() < bulk_insert_errors_max) return;
    problem_->problem.errors.push_back({location.record, "and more: the rest was not checked"});
    done_ = true;
}

bool BulkInsertErrors::check_range(std::span<const ColumnValues> records, std::size_t first,
                                   const LocationOf& location_of) {
    auto sql = records.size() == 1 ? insert_sql(request_, records.front(), "")
                                   : insert_many_sql(request_, records, "");
    auto outcome = execute_in_savepoint(request_, sql);
    if (outcome.rows) return true;
    if (records.size() == 1) {
        add_error(outcome, location_of(first));
        return !done_;
    }
    auto half = records.size() / 2;
    return check_range(records.first(half), first, location_of) &&
           check_range(records.subspan(half), first + half, location_of);
}

bool BulkInsertErrors::check(std::span<const ColumnValues> records, const LocationOf& location_of) {
    return !done_ && check_range(records, 0, location_of);
}

std::optional<http::FullResponse> BulkInsertErrors::response() {
    if (!problem_) return {};
    if (failed_records_ > 1)
        problem_->problem.detail =
            std::to_string(failed_records_) + " records were rejected; `errors` lists each location.";
    return reject(request_, std::move(problem_->problem), std::move(problem_->rule));
}

}  // namespace integreat::collections
