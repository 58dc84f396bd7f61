// SPDX-License-Identifier: Apache-2.0
// A retry budget, as in Envoy and Finagle: retries may be a fifth of the requests, plus a few per second so
// that an upstream with little traffic gets some. Shared by all I/O threads and made of relaxed atomics, like
// CircuitBreaker.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace integreat {

class RetryBudget {
public:
    // Adds a fifth of a retry. Called for each request that is not a retry.
    void deposit();
    // Returns whether a retry may be sent now, and subtracts it from the balance.
    bool try_withdraw(Monotonic now);

private:
    std::atomic<int> balance_{0};          // In fifths of a retry.
    std::atomic<std::int64_t> second_{0};  // Second of the monotonic clock that `granted_` counts in.
    std::atomic<int> granted_{0};          // Retries granted in that second without balance.
};

}  // namespace integreat
