// SPDX-License-Identifier: Apache-2.0
#include "base/resilience/retry_budget.h"

namespace integreat {

namespace {

constexpr int retry_price = 5;                  // One retry per five requests.
constexpr int balance_max = 100 * retry_price;  // A long calm does not accumulate a retry storm.
constexpr int granted_per_second = 3;           // Without balance.

}  // namespace

void RetryBudget::deposit() {
    if (balance_.load(std::memory_order_relaxed) < balance_max)
        balance_.fetch_add(1, std::memory_order_relaxed);
}

bool RetryBudget::try_withdraw(Monotonic now) {
    if (balance_.fetch_sub(retry_price, std::memory_order_relaxed) >= retry_price) return true;
    balance_.fetch_add(retry_price, std::memory_order_relaxed);
    auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    if (second_.exchange(second, std::memory_order_relaxed) != second)
        granted_.store(0, std::memory_order_relaxed);
    return granted_.fetch_add(1, std::memory_order_relaxed) < granted_per_second;
}

}  // namespace integreat
