// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/transaction.h"

#include <algorithm>
#include <array>

#include "postgres/driver/connection.h"
#include "postgres/driver/pool.h"
#include "postgres/driver/session_statements.h"

namespace integreat::postgres {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Error transaction_over_error() {
    return {Fault::internal, "the database could not execute the statement",
            "the transaction has failed or is over"};
}

}  // namespace

Transaction::Transaction(Pool& pool, std::unique_ptr<Connection> connection, Monotonic until)
    : pool_(&pool), connection_(std::move(connection)), until_(until) {}

Transaction::Transaction(Transaction&&) noexcept = default;

Transaction& Transaction::operator=(Transaction&& other) noexcept {
    if (this != &other) {
        release_connection();
        pool_ = other.pool_;
        connection_ = std::move(other.connection_);
        until_ = other.until_;
        timeout_set_ = other.timeout_set_;
        pending_role_ = std::move(other.pending_role_);
        begun_ = other.begun_;
        over_ = other.over_;
        should_retry_ = other.should_retry_;
        server_error_ = std::move(other.server_error_);
    }
    return *this;
}

Transaction::~Transaction() {
    release_connection();
}

void Transaction::release_connection() {
    if (!connection_) return;
    if (connection_->usable() && connection_->in_transaction()) {
        Statement rollback{"ROLLBACK", {}};
        auto until = steady_clock::now() + milliseconds(250);
        // If this fails, release() closes the connection, which rolls back as well.
        static_cast<void>(static_cast<bool>(connection_->execute_pipeline({&rollback, 1}, false, until)));
    }
    pool_->release(std::move(connection_));
}

milliseconds Transaction::time_left() const {
    auto left = std::chrono::floor<milliseconds>(until_ - steady_clock::now());
    return std::min(left, pool_->statement_timeout());
}

// Records the effect of an error on the rest of the transaction.
Error Transaction::record_failure(Error error) {
    over_ = true;
    server_error_ = connection_->server_error();
    should_retry_ = server_error_.sqlstate == "40001" || server_error_.sqlstate == "40P01";
    if (connection_->timed_out()) pool_->count_timeout();
    return error;
}

Result<ResultSet> Transaction::execute_once(std::string_view sql, std::span<const Value> parameters) {
    auto left = time_left();
    if (left <= milliseconds(0)) return deadline_error();
    std::array<Statement, 4> statements;
    std::size_t count = 0;
    std::string timeout;
    if (!begun_) statements[count++] = {"BEGIN", {}};
    // Updated only when much of the time has passed: the client stops waiting at the deadline in any case.
    bool sets_timeout = !begun_ || left < timeout_set_ / 2;
    if (sets_timeout) {
        // Not set_config, whose SELECT would make SET TRANSACTION come too late.
        timeout = "SET LOCAL statement_timeout = " + std::to_string(server_timeout(left).count());
        statements[count++] = {.sql = timeout, .differs_each_time = true};
    }
    std::array<Value, 3> role;
    if (pending_role_) {
        role = {pending_role_->role, pending_role_->uid, pending_role_->request};
        statements[count++] = {set_role_sql, role};
    }
    statements[count++] = {sql, parameters};
    auto rows = TRY(connection_->execute_pipeline({statements.data(), count}, pool_->prepares_statements(),
                                                  steady_clock::now() + left));
    begun_ = true;
    pending_role_.reset();
    if (sets_timeout) timeout_set_ = left;
    return std::move(rows.back());
}

void Transaction::set_role(RoleContext context) {
    pending_role_ = std::move(context);
}

void Transaction::reset_role() {
    pending_role_ = RoleContext{.role = "none", .uid = "", .request = ""};
}

// Called after the first statement failed. Returns true if it cannot have had an effect and another attempt
// may succeed. An open transaction ends with its connection, so that also holds for a lost connection.
bool Transaction::can_restart() {
    if (is_plan_lost(connection_->sqlstate())) {
        pool_->on_plan_lost(*connection_);
        Statement rollback{"ROLLBACK", {}};
        return static_cast<bool>(connection_->execute_pipeline({&rollback, 1}, false, until_));
    }
    if (connection_->usable() || connection_->timed_out()) return false;
    pool_->close(std::move(connection_));
    auto another = pool_->acquire(until_);
    if (!another) return false;
    connection_ = *std::move(another);
    return true;
}

Result<ResultSet> Transaction::execute(std::string_view sql, std::span<const Value> parameters) {
    if (over_ || !connection_) return transaction_over_error();
    if (contains_nul(parameters)) return nul_error();
    auto rows = execute_once(sql, parameters);
    if (rows) return rows;
    if (!begun_ && time_left() > milliseconds(0) && can_restart()) rows = execute_once(sql, parameters);
    if (rows) return rows;
    if (!connection_) {
        over_ = true;
        return rows;
    }
    return record_failure(std::move(rows).error());
}

Result<ResultSet> Transaction::execute(std::string_view sql, std::initializer_list<Value> parameters) {
    return execute(sql, std::span<const Value>(parameters.begin(), parameters.size()));
}

// Sends BEGIN, for commands that cannot be part of a pipeline.
Result<> Transaction::begin() {
    if (over_ || !connection_) return transaction_over_error();
    if (begun_) return {};
    TRY(execute("SELECT 1"));
    return {};
}

// Rejected statements only: after a timeout, a lost connection or a deadlock the transaction is over.
Result<ResultSet> Transaction::execute_in_savepoint(std::string_view sql, std::span<const Value> parameters) {
    TRY(execute("SAVEPOINT attempt"));
    auto rows = execute(sql, parameters);
    if (rows) {
        TRY(execute("RELEASE SAVEPOINT attempt"));
        return rows;
    }
    bool rejected = over_ && connection_ && connection_->usable() && !connection_->timed_out() &&
                    !server_error_.sqlstate.empty() && !should_retry_;
    if (!rejected) return rows;
    over_ = false;
    auto server_error = server_error_;
    // Sent alone: no other statement may be executed before it.
    auto rolled_back = script("ROLLBACK TO SAVEPOINT attempt");
    server_error_ = std::move(server_error);
    return rows;
}

Result<> Transaction::script(const std::string& sql) {
    TRY(begin());
    auto done = connection_->script(sql, std::min(until_, steady_clock::now() + time_left()));
    if (!done) return record_failure(std::move(done).error());
    return {};
}

Result<std::uint64_t> Transaction::copy_in(const std::string& sql, std::span<const std::string_view> chunks) {
    TRY(begin());
    auto copied = connection_->copy_in(sql, chunks, std::min(until_, steady_clock::now() + time_left()));
    if (!copied) return record_failure(std::move(copied).error());
    return copied;
}

Result<> Transaction::commit() {
    if (over_ || !connection_) return transaction_over_error();
    over_ = true;
    if (!begun_) {
        pool_->release(std::move(connection_));
        return {};
    }
    auto left = time_left();
    if (left <= milliseconds(0)) return deadline_error();
    Statement commit{"COMMIT", {}};
    auto rows =
        connection_->execute_pipeline({&commit, 1}, pool_->prepares_statements(), steady_clock::now() + left);
    if (!rows) {
        auto error = record_failure(std::move(rows).error());
        if (!connection_->usable()) {
            error.message =
                "the connection was lost during the commit: whether the changes were stored is unknown";
            error.cause = "unknown: " + error.cause;
        }
        return error;
    }
    pool_->release(std::move(connection_));
    return {};
}

Result<> run_transaction(Pool& pool, const TenantId& tenant, Monotonic deadline,
                         const std::function<Result<>(Transaction&)>& work, int attempts) {
    for (int attempt = 1;; ++attempt) {
        auto transaction = TRY(pool.begin(tenant, deadline));
        auto result = work(transaction);
        if (result) result = transaction.commit();
        if (result || !transaction.should_retry() || attempt >= attempts) return result;
    }
}

}  // namespace integreat::postgres
