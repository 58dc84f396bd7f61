// SPDX-License-Identifier: Apache-2.0
// `integreat completion SHELL`: generates shell completion from the command tree of the parser, so that it
// always matches the commands.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/runtime/command_context.h"

namespace integreat::cli {

// Returns the script to source: `source <(integreat completion bash)`. Shells: bash, zsh, fish.
Result<std::string> completion_script(const CLI::App& app, const std::string& shell);

void add_completion_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
