// SPDX-License-Identifier: Apache-2.0
// What remains of a request once it has been answered: its numbers in the metrics, its line in the access
// log, its row in the transaction log. One pass, after the answer is on its way.
#pragma once

#include "gateway/pipeline/pipeline.h"

namespace integreat::gateway {

void write_journal(Gateway& gateway, const http::Request& request, const http::Call& call,
                   const http::Outcome& outcome);

}  // namespace integreat::gateway
