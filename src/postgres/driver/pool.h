// SPDX-License-Identifier: Apache-2.0
// Connections to one database as one role, at most `max_connections` of them, opened on demand and tested
// after an idle period. Works through PgBouncer in transaction mode: only prepared statements outlive a
// transaction, and the pool stops preparing as soon as a pooler turns out not to keep them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "base/secret.h"
#include "postgres/driver/result_set.h"
#include "postgres/driver/transaction.h"

namespace integreat::postgres {

struct PoolSettings {
    TenantId tenant;  // Owner of the database.
    Secret url;       // A libpq connection string or postgresql:// URL.
    int max_connections = 16;
    std::chrono::milliseconds connect_timeout{
        10'000};  // For all connection attempts of one begin() together.
    std::chrono::milliseconds acquire_timeout{2'000};
    std::chrono::milliseconds statement_timeout{10'000};
};

// Totals since the start and current values of a pool, for metrics.
struct PoolCounters {
    int open = 0;
    int in_use = 0;
    int waiting = 0;
    std::uint64_t waits = 0;       // begin() calls that found no free connection.
    std::uint64_t timeouts = 0;    // Waits, connects and statements that reached their deadline.
    std::uint64_t connects = 0;    // Connections opened.
    std::uint64_t reconnects = 0;  // Broken connections closed.
};

class CompletionQueue;

// The result of an asynchronous query.
struct QueryResult {
    Result<ResultSet> rows;
    ServerError server_error;
    // Nothing was executed, and query_as, which may block, is likely to succeed.
    bool should_retry = false;
};

// Called once, by CompletionQueue::advance, expire or cancel_all; never by the call that started the query.
using CompletionHandler = std::function<void(QueryResult)>;

class Pool {
public:
    Pool(PoolSettings settings, const Clock& clock);
    ~Pool();
    Pool(const Pool&) = delete;

    // Begins a transaction. Waits for a free connection until `deadline` or acquire_timeout, whichever is
    // first; reconnects with back-off while the server starts or wakes. `tenant` must be that of the pool:
    // another one is a bug.
    Result<Transaction> begin(const TenantId& tenant, Monotonic deadline = Monotonic::max());

    // Executes one statement as a transaction, in one round trip. If the connection is lost meanwhile, the
    // outcome of a writing statement is unknown, and `cause` begins with "unknown: ".
    Result<ResultSet> run(const TenantId& tenant, Monotonic deadline, std::string_view sql,
                          std::initializer_list<Value> parameters = {});

    // Executes one statement like run, in the given role.
    Result<ResultSet> query_as(const TenantId& tenant, const RoleContext& context, Monotonic deadline,
                               std::string_view sql, std::span<const Value> parameters,
                               ServerError* server_error = nullptr);

    // Starts one statement like query_as, without blocking: sends it over a connection that is free right
    // now; `queue` calls `handler` when the result is known. Returns false if there is no such connection
    // (none is free, others wait for one, or it has been idle for so long that it must be tested first): the
    // caller then uses query_as where blocking is allowed. The pool must outlive the queue.
    bool query_async(CompletionQueue& queue, const TenantId& tenant, const RoleContext& context,
                     Monotonic deadline, std::string_view sql, std::span<const Value> parameters,
                     CompletionHandler handler);

    const TenantId& tenant() const;
    PoolCounters counters() const;

private:
    struct State;
    Result<ResultSet> execute(const RoleContext* context, Monotonic deadline, std::string_view sql,
                              std::span<const Value> parameters, ServerError* server_error);
    std::unique_ptr<Connection> take_ready(const CompletionQueue& queue);
    QueryResult complete(std::unique_ptr<Connection> connection, Result<std::vector<ResultSet>> rows);
    Monotonic local_deadline(Monotonic deadline) const;
    Monotonic statement_deadline(Monotonic until) const;
    Result<std::unique_ptr<Connection>> acquire(Monotonic until);
    Result<std::unique_ptr<Connection>> connect(Monotonic until);
    void release(std::unique_ptr<Connection> connection);
    void close(std::unique_ptr<Connection> connection);
    void count_timeout();
    std::chrono::milliseconds statement_timeout() const;
    bool prepares_statements() const;
    void on_plan_lost(Connection& connection);

    std::unique_ptr<State> state_;
    friend class Transaction;
    friend class CompletionQueue;
};

}  // namespace integreat::postgres
