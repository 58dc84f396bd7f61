// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "postgres/driver/pool.h"
#include "services/collections/model.h"

namespace integreat::collections {

// Checks with one query that the tables match the model and that the login role is bound by their policies:
// it owns nothing, inherits nothing, and is a member of the app's roles only. Fails with Fault::conflict if
// the model has to be applied first, and with Fault::invalid if the role is unsafe.
Result<> verify_schema(postgres::Pool& pool, const Model& model, Monotonic deadline);

}  // namespace integreat::collections
