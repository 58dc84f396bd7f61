// SPDX-License-Identifier: Apache-2.0
// How many records are asked for at once where all of them pass: so many that a round trip is worth it, so
// few that the largest that their fields allow have room in memory.
#pragma once

#include <cstddef>

#include "config/model/model.h"

namespace integreat::collections {

std::size_t rows_at_once(const Collection& collection, std::size_t most);

}  // namespace integreat::collections
