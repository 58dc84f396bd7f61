// SPDX-License-Identifier: Apache-2.0
// Connections to one database as one role, at most `connections_max` of them, opened when first needed and
// tested when they have rested. Works through PgBouncer in transaction mode: nothing outlives a transaction
// but prepared statements, and those are done without as soon as a pooler proves not to keep them.
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
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "base/secret.h"

namespace integreat::postgres {

struct PoolSettings {
    TenantId tenant;  // Whose database this is.
    Secret url;       // A libpq connection string or postgresql:// URL.
    int connections_max = 16;
    std::chrono::milliseconds connect_timeout{10'000};  // For all attempts of one begin() together.
    std::chrono::milliseconds acquire_timeout{2'000};
    std::chrono::milliseconds statement_timeout{10'000};
};

// What a pool has done so far and holds now, for metrics.
struct PoolCounters {
    int open = 0;
    int in_use = 0;
    int waiting = 0;
    std::uint64_t waits = 0;       // begin() calls that found no free connection.
    std::uint64_t timeouts = 0;    // Waits, connects and statements ended by their deadline.
    std::uint64_t connects = 0;    // Connections opened.
    std::uint64_t reconnects = 0;  // Connections found or become dead and given up.
};

// A value of a query parameter or result in text form; nullopt is SQL NULL.
using Value = std::optional<std::string>;

// In whose name statements run: the role is taken on and the rest told (functions integreat.uid(),
// integreat.request()) for one transaction, so that nothing of it outlives it behind a pooler.
struct Acting {
    std::string role;     // Of the database: "tenant_campus__registrar".
    std::string uid;      // Of the caller; empty: nobody is signed in, and integreat.uid() is NULL.
    std::string request;  // The request's id, for the record of changes.
};

// What the server said when it refused a statement; empty if the refusal was not the server's.
struct Refusal {
    std::string state;       // SQLSTATE, five characters.
    std::string constraint;  // The name of the constraint, or what a trigger gives in its place.
    std::string column;      // Of not-null violations, or what a trigger says.
};

// Any bytes as a parameter of type bytea.
Value bytea(std::string_view bytes);

class Rows {
public:
    std::size_t size() const;
    bool empty() const { return size() == 0; }
    bool is_null(std::size_t row, std::size_t column) const;
    std::string_view text(std::size_t row, std::size_t column) const;  // Empty for NULL.
    std::int64_t integer(std::size_t row, std::size_t column) const;
    bool boolean(std::size_t row, std::size_t column) const;
    std::string bytes(std::size_t row, std::size_t column) const;         // Of a bytea column.
    std::optional<Time> time(std::size_t row, std::size_t column) const;  // Of a timestamptz column.
    Value value(std::size_t row, std::size_t column) const;
    std::uint64_t affected() const;  // Rows written by INSERT, UPDATE, DELETE.
    std::size_t memory() const;      // Bytes that all of it takes.

private:
    friend class Connection;
    std::shared_ptr<void> result_;
};

class Connection;
class Lane;
struct Outcome;

// A transaction holds one connection and rolls back when it goes without commit(). BEGIN travels with the
// first statement. Errors: 23xxx become Fault::conflict, 40001/40P01 Fault::unavailable ("try again"), 57014
// (deadline) and lost connections Fault::unavailable, text that is not UTF-8 Fault::invalid, everything else
// Fault::internal; `cause` has the SQLSTATE and the server's words. A connection lost during commit() leaves
// the outcome unknown, and `cause` begins with "unknown: ".
class Transaction {
public:
    Transaction(Transaction&&) noexcept;
    Transaction& operator=(Transaction&&) noexcept;
    ~Transaction();

    Result<Rows> execute(std::string_view sql, std::span<const Value> parameters = {});
    Result<Rows> execute(std::string_view sql, std::initializer_list<Value> parameters);

    // In a savepoint: what the server refuses is undone, and the transaction goes on. Not after a time-out, a
    // lost connection or a deadlock.
    Result<Rows> attempt(std::string_view sql, std::span<const Value> parameters);

    // What follows runs in that name, until the next act_as or the end; travels with the next statement.
    void act_as(Acting acting);
    // What follows runs as the login role again.
    void act_as_login();

    // Several statements without parameters, separated by semicolons: migrations.
    Result<> script(const std::string& sql);

    // COPY ... FROM STDIN with all its bytes, in parts that need not end where rows do. How many rows were
    // stored.
    Result<std::uint64_t> copy_in(const std::string& sql, std::span<const std::string_view> parts);

    Result<> commit();

    // The server asked to run the whole transaction again (40001, 40P01).
    bool should_run_again() const { return should_run_again_; }
    // Of the last error, five characters; empty if it did not come from the server.
    const std::string& sql_state() const { return refusal_.state; }
    const Refusal& refusal() const { return refusal_; }

private:
    friend class Pool;
    Transaction(class Pool& pool, std::unique_ptr<Connection> connection, Monotonic until);

    Result<> start();
    Result<Rows> execute_once(std::string_view sql, std::span<const Value> parameters);
    bool may_start_over();
    Error failed(Error error);
    void leave();
    std::chrono::milliseconds time_left() const;

    class Pool* pool_;
    std::unique_ptr<Connection> connection_;
    Monotonic until_;  // Of the machine's own steady clock.
    std::chrono::milliseconds timeout_set_{0};
    std::optional<Acting> acting_;  // To be told to the server with the next statement.
    bool begun_ = false;
    bool over_ = false;
    bool should_run_again_ = false;
    Refusal refusal_;
};

class Pool {
public:
    Pool(PoolSettings settings, const Clock& clock);
    ~Pool();
    Pool(const Pool&) = delete;

    // Waits for a free connection until `deadline` or acquire_timeout, whichever is first; reconnects with
    // back-off while the server starts or wakes. The tenant must be the pool's: a wrong one is a bug.
    Result<Transaction> begin(const TenantId& tenant, Monotonic deadline = Monotonic::max());

    // One statement that is a transaction by itself, in one round trip. If the connection is lost meanwhile,
    // the outcome of a writing statement is unknown, and `cause` begins with "unknown: ".
    Result<Rows> run(const TenantId& tenant, Monotonic deadline, std::string_view sql,
                     std::initializer_list<Value> parameters = {});

    // The same in somebody's name.
    Result<Rows> run_as(const TenantId& tenant, const Acting& acting, Monotonic deadline,
                        std::string_view sql, std::span<const Value> parameters, Refusal* refusal = nullptr);

    // The same for an I/O thread, which must not wait: sent over a connection that is free right now, and
    // `told` is called by the lane when its outcome is known. False if there is no such connection (none is
    // free, or others wait for one, or it has rested so long that it must be tried first): run_as, where
    // waiting is allowed, is for that. The pool outlives the lane.
    bool begin_as(Lane& lane, const TenantId& tenant, const Acting& acting, Monotonic deadline,
                  std::string_view sql, std::span<const Value> parameters, std::function<void(Outcome)> told);

    const TenantId& tenant() const;
    PoolCounters counters() const;

private:
    struct State;
    Result<Rows> run_group(const Acting* acting, Monotonic deadline, std::string_view sql,
                           std::span<const Value> parameters, Refusal* refusal);
    std::unique_ptr<Connection> take_ready(const Lane& lane);
    Outcome conclude(std::unique_ptr<Connection> connection, Result<std::vector<Rows>> rows);
    Monotonic local_deadline(Monotonic deadline) const;
    Monotonic answer_by(Monotonic until) const;
    Result<std::unique_ptr<Connection>> acquire(Monotonic until);
    Result<std::unique_ptr<Connection>> connect(Monotonic until);
    void release(std::unique_ptr<Connection> connection);
    void give_up(std::unique_ptr<Connection> connection);
    void count_timeout();

    std::unique_ptr<State> state_;
    friend class Transaction;
    friend class Lane;
};

// Runs `work` in a transaction and commits; again (at most `attempts` times) if the server asks for it
// (40001, 40P01). `work` must be free of effects outside the transaction.
Result<> in_transaction(Pool& pool, const TenantId& tenant, Monotonic deadline,
                        const std::function<Result<>(Transaction&)>& work, int attempts = 3);

}  // namespace integreat::postgres
