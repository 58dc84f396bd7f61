// SPDX-License-Identifier: Apache-2.0
// `integreat iam explain`: evaluates a permission in the local cloud.
#pragma once

#include <filesystem>
#include <string>

#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct IamExplainOptions {
    std::filesystem::path data = ".integreat";
    std::string aws;  // URL of the local cloud; empty: of the running `integreat dev`, or the default port.
    std::string principal;
    std::string action;
    std::string resource;
};

// Prints the explanation; exit_failure if the action is denied.
int iam_explain(const IamExplainOptions& options, std::ostream& out, std::ostream& err);

void add_iam_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
