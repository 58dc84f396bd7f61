// SPDX-License-Identifier: Apache-2.0
// `integreat help`: the help of a command, and the manual of all commands (docs/reference/commands.md),
// both from the command tree of the parser.
#pragma once

#include <string>

#include "cli/runtime/command_context.h"

namespace integreat::cli {

// Renders every command with its arguments and options as Markdown.
std::string render_command_manual(const CLI::App& program);

void add_help_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
