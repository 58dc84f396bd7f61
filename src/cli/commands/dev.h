// SPDX-License-Identifier: Apache-2.0
// `integreat dev`: everything on this machine. The platform as in production, with what production gets from
// elsewhere: a private Postgres, a local Firebase Auth and a local cloud.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>

#include "cli/runtime/configuration_commands.h"
#include "cli/runtime/storage_playground.h"

namespace integreat::cli {

inline constexpr std::uint16_t dev_firebase_port = 9099;

struct DevOptions {
    ConfigurationOptions configuration;
    std::filesystem::path data = ".integreat";
    std::filesystem::path ready_file;                      // Empty: none.
    bool automatic_ports = false;                          // Free ports instead of 8080, 9099 and 4566.
    std::string log_level;                                 // Empty: what the settings say.
    std::filesystem::path try_files = default_try_folder;  // Of the pages /try/{app}.
};

int dev(const DevOptions& options, std::ostream& out, std::ostream& err);

}  // namespace integreat::cli
