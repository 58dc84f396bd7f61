// SPDX-License-Identifier: Apache-2.0
// `integreat dev`: runs everything on this machine for development. The platform is the one of production,
// with an embedded Postgres, a local Firebase Auth and a local cloud instead of external services.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/runtime/command_context.h"
#include "cli/runtime/storage_playground.h"

namespace integreat::cli {

inline constexpr std::uint16_t default_firebase_port = 9099;

struct DevOptions {
    ConfigurationOptions configuration;
    std::filesystem::path data = ".integreat";
    std::filesystem::path ready_file;  // Empty: none.
    bool automatic_ports = false;      // Free ports instead of 8080, 9099 and 4566.
    std::string log_level;             // Empty: as in the settings.
    std::filesystem::path try_files = default_playground_folder;  // Files of the pages /try/{app}.
};

int dev(const DevOptions& options, std::ostream& out, std::ostream& err);

void add_dev_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
