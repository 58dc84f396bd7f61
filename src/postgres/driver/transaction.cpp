// SPDX-License-Identifier: Apache-2.0
// What may fail and yet not be the end: a statement behind a savepoint, a transaction that runs again.
#include "postgres/driver/connection.h"
#include "postgres/driver/pool.h"

namespace integreat::postgres {

Result<Rows> Transaction::attempt(std::string_view sql, std::span<const Value> parameters) {
    TRY(execute("SAVEPOINT attempt"));
    auto rows = execute(sql, parameters);
    if (rows) {
        TRY(execute("RELEASE SAVEPOINT attempt"));
        return rows;
    }
    bool refused = over_ && connection_ && connection_->usable() && !connection_->timed_out() &&
                   !refusal_.state.empty() && !should_run_again_;
    if (!refused) return rows;
    over_ = false;
    auto said = refusal_;
    // By itself: nothing else may run before it.
    auto undone = script("ROLLBACK TO SAVEPOINT attempt");
    refusal_ = std::move(said);
    return rows;
}

Result<> in_transaction(Pool& pool, const TenantId& tenant, Monotonic deadline,
                        const std::function<Result<>(Transaction&)>& work, int attempts) {
    for (int attempt = 1;; ++attempt) {
        auto transaction = TRY(pool.begin(tenant, deadline));
        auto result = work(transaction);
        if (result) result = transaction.commit();
        if (result || !transaction.should_run_again() || attempt >= attempts) return result;
    }
}

}  // namespace integreat::postgres
