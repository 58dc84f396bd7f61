// SPDX-License-Identifier: Apache-2.0
// Configures the pages /try/{app} of `integreat dev`: the public settings of each app, and the files that npm
// builds from sdk/js/try.
#pragma once

#include <filesystem>
#include <memory>

#include "base/concurrency/synchronized.h"
#include "cli/runtime/ready_file.h"
#include "gateway/admin/storage_playground.h"

namespace integreat::cli {

// Output folder of `npm run build` in sdk/js, relative to the project folder.
inline constexpr const char* default_playground_folder = "sdk/js/dist/try";

// Returns the configuration of the pages. `ready` may change at any time. The operators' own app has no page.
gateway::StoragePlayground make_playground(std::shared_ptr<Synchronized<ReadyFile>> ready,
                                           std::filesystem::path folder);

}  // namespace integreat::cli
