// SPDX-License-Identifier: Apache-2.0
// Erases the personal data of one person, identified as in export_subject.h.
#pragma once

#include <string>
#include <vector>

#include "postgres/driver/pool.h"
#include "services/collections/model.h"

namespace integreat::collections {

struct ErasureResult {
    std::int64_t records =
        0;  // Records about the person; personal fields are cleared, or "erased" if required.
    std::int64_t changes = 0;  // History entries from which personal data was removed.
};

// Runs in one transaction. Every other occurrence of the person's uid is replaced by the same pseudonym.
Result<ErasureResult> erase_subject(postgres::Pool& owner, const Model& model,
                                    const std::vector<std::string>& identifiers, Monotonic deadline);

}  // namespace integreat::collections
