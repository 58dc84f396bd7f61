// SPDX-License-Identifier: Apache-2.0
// Batch size for reading all records of a collection: large enough to pay for a round trip, small enough that
// a batch of records of the maximum size fits into memory.
#pragma once

#include <cstddef>

#include "services/collections/model.h"

namespace integreat::collections {

// Returns the number of rows per batch, from 1 to `limit`.
std::size_t max_batch_rows(const Collection& collection, std::size_t limit);

}  // namespace integreat::collections
