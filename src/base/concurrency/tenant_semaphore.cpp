// SPDX-License-Identifier: Apache-2.0
#include "base/concurrency/tenant_semaphore.h"

namespace integreat {

Turn::~Turn() {
    if (!taken_) return;
    auto taken = taken_->lock();
    auto mine = taken->find(whose_);
    if (--mine->second == 0) taken->erase(mine);
}

std::optional<Turn> Turns::take(const TenantId& whose, int most) {
    auto taken = taken_->lock();
    auto mine = taken->find(whose);
    int now = mine == taken->end() ? 0 : mine->second;
    if (now >= most) return {};
    (*taken)[whose] = now + 1;
    return Turn(taken_, whose);
}

}  // namespace integreat
