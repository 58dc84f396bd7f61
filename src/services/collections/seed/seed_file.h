// SPDX-License-Identifier: Apache-2.0
// Parses a seed file and the word file.
#pragma once

#include <vector>

#include "config/configuration/configuration.h"
#include "services/collections/seed/seed.h"

namespace integreat::collections {

// The seed references `model`, which must outlive it.
struct SeedParseResult {
    Seed seed;
    std::vector<config::Diagnostic> errors;  // Diagnostics of both files.
};
SeedParseResult parse_seed(const config::Source& seed, const config::Source& words, const Model& model);

}  // namespace integreat::collections
