// SPDX-License-Identifier: Apache-2.0
// What the pages /try/{app} of `integreat dev` are told: the public settings of each app, and the files that
// npm made of sdk/js/try.
#pragma once

#include <filesystem>
#include <memory>

#include "base/concurrency/synchronized.h"
#include "cli/runtime/ready_file.h"
#include "gateway/admin/storage_playground.h"

namespace integreat::cli {

// Where `npm run build` in sdk/js puts them, from the folder of the project.
inline constexpr const char* default_try_folder = "sdk/js/dist/try";

// `ready` may change at any time. What is no app has no page: the operators.
gateway::TryPage try_page(std::shared_ptr<Guarded<Ready>> ready, std::filesystem::path folder);

}  // namespace integreat::cli
