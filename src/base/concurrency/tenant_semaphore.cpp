// SPDX-License-Identifier: Apache-2.0
#include "base/concurrency/tenant_semaphore.h"

namespace integreat {

TenantSemaphore::Permit::~Permit() {
    if (!counts_) return;
    auto counts = counts_->lock();
    auto entry = counts->find(tenant_);
    if (--entry->second == 0) counts->erase(entry);
}

std::optional<TenantSemaphore::Permit> TenantSemaphore::try_acquire(const TenantId& tenant, int permits_max) {
    auto counts = counts_->lock();
    auto entry = counts->find(tenant);
    int held = entry == counts->end() ? 0 : entry->second;
    if (held >= permits_max) return {};
    (*counts)[tenant] = held + 1;
    return Permit(counts_, tenant);
}

}  // namespace integreat
