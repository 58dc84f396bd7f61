// SPDX-License-Identifier: Apache-2.0
// Connections to one database as one role, at most `connections_max` of them, opened when first needed and
// tested when they have rested. Works through PgBouncer in transaction mode: nothing outlives a transaction.
#pragma once

#include <chrono>
#include <functional>
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
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds acquire_timeout{2'000};
    std::chrono::milliseconds statement_timeout{10'000};
};

// A value of a query parameter or result in text form; nullopt is SQL NULL.
using Value = std::optional<std::string>;

class Rows {
public:
    std::size_t size() const;
    bool empty() const { return size() == 0; }
    bool is_null(std::size_t row, std::size_t column) const;
    std::string_view text(std::size_t row, std::size_t column) const;
    std::int64_t integer(std::size_t row, std::size_t column) const;
    bool boolean(std::size_t row, std::size_t column) const;
    std::uint64_t affected() const;  // Rows written by INSERT, UPDATE, DELETE.

private:
    friend class Transaction;
    std::shared_ptr<void> result_;
};

class Connection;

// A transaction holds one connection and rolls back when it goes without commit(). Errors: 23xxx become
// Fault::conflict, 40001/40P01 Fault::unavailable ("try again"), 57014 (deadline) and lost connections
// Fault::unavailable, everything else Fault::internal; `cause` has the SQLSTATE and the server's words.
class Transaction {
public:
    Transaction(Transaction&&) noexcept;
    Transaction& operator=(Transaction&&) noexcept;
    ~Transaction();

    Result<Rows> execute(std::string_view sql, std::span<const Value> parameters = {});
    Result<Rows> execute(std::string_view sql, std::initializer_list<Value> parameters);
    Result<> commit();

private:
    friend class Pool;
    Transaction(class Pool& pool, std::unique_ptr<Connection> connection);

    class Pool* pool_;
    std::unique_ptr<Connection> connection_;
};

class Pool {
public:
    Pool(PoolSettings settings, const Clock& clock);
    ~Pool();
    Pool(const Pool&) = delete;

    // Waits for a free connection until `deadline` or acquire_timeout, whichever is first; reconnects with
    // back-off while the server starts or wakes. The tenant must be the pool's: a wrong one is a bug.
    Result<Transaction> begin(const TenantId& tenant, Monotonic deadline = Monotonic::max());

    const TenantId& tenant() const;

private:
    struct State;
    std::unique_ptr<State> state_;
    friend class Transaction;
};

// Runs `work` in a transaction and commits; again (at most `attempts` times) if the server asks for it
// (40001, 40P01). `work` must be free of effects outside the transaction.
Result<> in_transaction(Pool& pool, const TenantId& tenant, Monotonic deadline,
                        const std::function<Result<>(Transaction&)>& work, int attempts = 3);

}  // namespace integreat::postgres
