// SPDX-License-Identifier: Apache-2.0
// `integreat cloud`: runs the local cloud without the platform.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/runtime/command_context.h"
#include "cli/runtime/local_cloud.h"

namespace integreat::cli {

struct CloudOptions {
    std::filesystem::path data = ".integreat";
    std::uint16_t port = default_aws_port;
    std::filesystem::path ready_file;   // Empty: none.
    std::vector<std::string> projects;  // Firebase projects that get an identity pool, a bucket and a role.
    std::string firebase_keys_url;      // JWKS URL; empty: Google's.
    std::string log_level = "info";
    bool without_enforcement = false;
    bool manual = false;  // Print docs/reference/local-cloud.md and exit.
};

int run_cloud(const CloudOptions& options, std::ostream& out, std::ostream& err);

void add_cloud_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
