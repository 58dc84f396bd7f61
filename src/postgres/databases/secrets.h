// SPDX-License-Identifier: Apache-2.0
// Keys that all instances of the platform must share, because what one of them signs the next may have to
// check. Kept in the platform's database, which they share already.
#pragma once

#include <string>

#include "base/random.h"
#include "base/secret.h"
#include "postgres/driver/pool.h"

namespace integreat::postgres {

inline constexpr std::size_t shared_secret_bytes = 32;

// The secret of that name: made by whoever asks first, the same for everybody after.
Result<Secret> shared_secret(Pool& platform, const std::string& name, Random& random, Monotonic deadline);

}  // namespace integreat::postgres
