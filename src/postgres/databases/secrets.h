// SPDX-License-Identifier: Apache-2.0
// Secrets that all instances of the platform share, because one instance may have to verify the signatures of
// another. Stored in the database of the platform, which they share already.
#pragma once

#include <string>

#include "base/random.h"
#include "base/secret.h"
#include "postgres/driver/pool.h"

namespace integreat::postgres {

inline constexpr std::size_t shared_secret_bytes = 32;

// Returns the secret of that name. The first call, of all instances, generates it.
Result<Secret> get_or_create_secret(Pool& platform, const std::string& name, Random& random,
                                    Monotonic deadline);

}  // namespace integreat::postgres
