// SPDX-License-Identifier: Apache-2.0
// `integreat seed --app campus`: generates realistic records from apps/seed/campus.yaml and
// apps/seed/words.yaml. In the databases of `integreat dev`, the first records of each role belong to its
// predefined user, so that this user has records after signing in.
#pragma once

#include <filesystem>
#include <string>

#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct SeedOptions {
    ConfigurationOptions configuration;
    std::filesystem::path data;
    std::string app;
    bool again = false;  // Replace existing records.
};

int seed(const SeedOptions& options, std::ostream& out, std::ostream& err);

void add_seed_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
