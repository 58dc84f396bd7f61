// SPDX-License-Identifier: Apache-2.0
// `integreat db plan` and `integreat db apply`: migrate the tables of the apps to their manifests.
#pragma once

#include <filesystem>
#include <string>

#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct DbOptions {
    ConfigurationOptions configuration;
    std::filesystem::path data;
    std::string app;  // Empty: all.
    bool allow_destructive = false;
    std::string backup_note;
};

int db_plan(const DbOptions& options, std::ostream& out, std::ostream& err);
int db_apply(const DbOptions& options, std::ostream& out, std::ostream& err);

void add_db_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
