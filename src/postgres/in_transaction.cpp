// SPDX-License-Identifier: Apache-2.0
#include "postgres/pool.h"

namespace integreat::postgres {

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
