// SPDX-License-Identifier: Apache-2.0
// `integreat seed --app campus`: believable records from apps/seed/campus.yaml and apps/seed/words.yaml. In
// the databases of `integreat dev`, the first records of each role belong to its ready-made user, so that
// whoever signs in sees something of their own.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

#include "cli/runtime/configuration_commands.h"

namespace integreat::cli {

struct SeedOptions {
    ConfigurationOptions configuration;
    std::filesystem::path data;
    std::string app;
    bool again = false;
};

int seed(const SeedOptions& options, std::ostream& out, std::ostream& err);

}  // namespace integreat::cli
