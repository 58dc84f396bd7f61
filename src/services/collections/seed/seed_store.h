// SPDX-License-Identifier: Apache-2.0
// Inserts generated records into the tables of an app.
#pragma once

#include <vector>

#include "postgres/driver/pool.h"
#include "services/collections/seed/seed.h"

namespace integreat::collections {

enum class SeedMode {
    empty_only,  // Fails with Fault::conflict if the app has records.
    replace,     // Deletes all records of the app first.
};

// Runs in one transaction as a role that bypasses row-level security.
Result<> insert_seed(postgres::Pool& owner, const Model& model, const std::vector<GeneratedRows>& batches,
                     SeedMode mode, Monotonic deadline);

}  // namespace integreat::collections
