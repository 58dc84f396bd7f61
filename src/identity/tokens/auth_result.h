// SPDX-License-Identifier: Apache-2.0
// What identity/ says about a caller.
#pragma once

#include <memory>
#include <variant>

#include "base/principal.h"
#include "identity/tokens/denial.h"

namespace integreat::identity {

// The answer needs a wait (keys to be fetched, API keys to be read): ask again with may_wait.
struct MustWait {};

// A null principal is an anonymous caller: there was no Authorization header.
using Verdict = std::variant<std::shared_ptr<const Principal>, Denial, MustWait>;

}  // namespace integreat::identity
