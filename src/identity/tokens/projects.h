// SPDX-License-Identifier: Apache-2.0
// The Firebase projects we accept tokens of, by tenant. Immutable; a new one comes with each reload.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/id.h"

namespace integreat::identity {

struct Project {
    TenantId tenant;
    std::string project_id;
};

struct Projects {
    std::vector<Project> all;
    std::uint64_t generation = 0;  // Differs between any two that were ever in force.
};

}  // namespace integreat::identity
