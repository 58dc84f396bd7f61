// SPDX-License-Identifier: Apache-2.0
// A counting semaphore per tenant. `try_acquire` never blocks: it returns a permit, or nothing when the
// tenant already holds the maximum.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/concurrency/synchronized.h"
#include "base/id.h"

namespace integreat {

class TenantSemaphore {
    using Counts = Synchronized<std::map<TenantId, int>>;

public:
    // Releases the permit on destruction. May outlive its semaphore.
    class Permit {
    public:
        Permit(Permit&&) noexcept = default;
        Permit& operator=(Permit&&) = delete;
        ~Permit();

    private:
        friend class TenantSemaphore;
        Permit(std::shared_ptr<Counts> counts, TenantId tenant)
            : counts_(std::move(counts)), tenant_(std::move(tenant)) {}

        std::shared_ptr<Counts> counts_;  // Null after a move.
        TenantId tenant_;
    };

    // Returns nullopt if the tenant holds `permits_max` permits already.
    std::optional<Permit> try_acquire(const TenantId& tenant, int permits_max);

private:
    std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();  // Permits held, by tenant.
};

}  // namespace integreat
