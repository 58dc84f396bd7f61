// SPDX-License-Identifier: Apache-2.0
// `integreat routes`: lists the routes of the gateway.
#pragma once

#include <optional>
#include <string>

#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct RoutesOptions {
    ConfigurationOptions configuration;
    std::optional<std::string> app;
    bool json = false;
    bool manual = false;  // Print docs/reference/api.md instead.
};

int routes(const RoutesOptions& options, std::ostream& out, std::ostream& err);

void add_routes_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
