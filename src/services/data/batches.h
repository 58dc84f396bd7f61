// SPDX-License-Identifier: Apache-2.0
// How many records are asked for at once where all of them pass: so many that a round trip is worth it, so
// few that the largest that their fields allow have room in memory.
#pragma once

#include <cstddef>

#include "services/data/model.h"

namespace integreat::data {

std::size_t rows_at_once(const Collection& collection, std::size_t most);

}  // namespace integreat::data
