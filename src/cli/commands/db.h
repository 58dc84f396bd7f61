// SPDX-License-Identifier: Apache-2.0
// `integreat db plan` and `integreat db apply`: the tables of the apps, from what they are to what the
// manifests say.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

#include "cli/runtime/configuration_commands.h"

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

}  // namespace integreat::cli
