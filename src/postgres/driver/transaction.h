// SPDX-License-Identifier: Apache-2.0
// Transactions on a connection that is borrowed from a Pool.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "postgres/driver/result_set.h"

namespace integreat::postgres {

class Connection;
class Pool;

// The database role of a transaction and the identity of its caller, which SQL reads with integreat.uid() and
// integreat.request(). Set for one transaction, so that nothing outlives it behind a pooler.
struct RoleContext {
    std::string role;     // "tenant_campus__registrar"
    std::string uid;      // Empty for an anonymous caller; integreat.uid() is then NULL.
    std::string request;  // Request ID, stored in the change history.
};

// Error fields of a statement that the server rejected. All are empty for errors that did not come from the
// server.
struct ServerError {
    std::string sqlstate;    // Five characters.
    std::string constraint;  // Name of the violated constraint, or the name that a trigger reports.
    std::string column;      // Column of a not-null violation, or the name that a trigger reports.
};

// A transaction holds one connection and rolls back on destruction unless it was committed. BEGIN is sent
// with the first statement. Errors: 23xxx become Fault::conflict, 40001/40P01 Fault::unavailable ("try
// again"), 57014 (deadline) and lost connections Fault::unavailable, text that is not UTF-8 Fault::invalid,
// everything else Fault::internal; `cause` has the SQLSTATE and the server's message. A connection lost
// during commit() leaves the outcome unknown, and `cause` begins with "unknown: ".
class Transaction {
public:
    Transaction(Transaction&&) noexcept;
    Transaction& operator=(Transaction&&) noexcept;
    ~Transaction();

    Result<ResultSet> execute(std::string_view sql, std::span<const Value> parameters = {});
    Result<ResultSet> execute(std::string_view sql, std::initializer_list<Value> parameters);

    // Executes a statement in a savepoint: if the server rejects it, the statement is rolled back and the
    // transaction remains usable. It does not after a timeout, a lost connection or a deadlock.
    Result<ResultSet> execute_in_savepoint(std::string_view sql, std::span<const Value> parameters);

    // Switches to a role until the next set_role or the end; sent with the next statement.
    void set_role(RoleContext context);
    // Switches back to the login role; sent with the next statement.
    void reset_role();

    // Executes several statements without parameters, separated by semicolons: migrations.
    Result<> script(const std::string& sql);

    // Executes COPY ... FROM STDIN. The data come in chunks that need not end at the end of a row. Returns
    // the number of rows stored.
    Result<std::uint64_t> copy_in(const std::string& sql, std::span<const std::string_view> chunks);

    Result<> commit();

    // Returns true if the server asked to run the whole transaction again (40001, 40P01).
    bool should_retry() const { return should_retry_; }
    // Returns the SQLSTATE of the last error; empty if that did not come from the server.
    const std::string& sqlstate() const { return server_error_.sqlstate; }
    const ServerError& server_error() const { return server_error_; }

private:
    friend class Pool;
    Transaction(Pool& pool, std::unique_ptr<Connection> connection, Monotonic until);

    Result<> begin();
    Result<ResultSet> execute_once(std::string_view sql, std::span<const Value> parameters);
    bool can_restart();
    Error record_failure(Error error);
    void release_connection();
    std::chrono::milliseconds time_left() const;

    Pool* pool_;
    std::unique_ptr<Connection> connection_;
    Monotonic until_;  // On the steady clock of this machine.
    std::chrono::milliseconds timeout_set_{0};
    std::optional<RoleContext> pending_role_;  // To be sent with the next statement.
    bool begun_ = false;
    bool over_ = false;
    bool should_retry_ = false;
    ServerError server_error_;
};

// Runs `work` in a transaction and commits. Repeats both, at most `attempts` times in all, if the server asks
// for it (40001, 40P01). `work` must have no effects outside the transaction.
Result<> run_transaction(Pool& pool, const TenantId& tenant, Monotonic deadline,
                         const std::function<Result<>(Transaction&)>& work, int attempts = 3);

}  // namespace integreat::postgres
