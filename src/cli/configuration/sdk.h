// SPDX-License-Identifier: Apache-2.0
// `integreat sdk ts --app campus`: generates a typed client for the app's collections, on top of sdk/js.
#pragma once

#include <string>

#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct SdkOptions {
    ConfigurationOptions configuration;
    std::string app;
    std::string out;  // Output file; empty: standard output.
    std::string runtime = "@integreat/client";
};

int sdk_ts(const SdkOptions& options, std::ostream& out, std::ostream& err);

void add_sdk_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
