// SPDX-License-Identifier: Apache-2.0
// `integreat check`: validates the settings and manifests.
#pragma once

#include "cli/runtime/command_context.h"

namespace integreat::cli {

int check(const ConfigurationOptions& options, std::ostream& out, std::ostream& err);

void add_check_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
