// SPDX-License-Identifier: Apache-2.0
// `integreat tenant add NAME --project ID`: writes a manifest to start from.
#pragma once

#include <string>

#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct TenantAddOptions {
    ConfigurationOptions configuration;
    std::string name;
    std::string project;  // Firebase project ID.
};

int tenant_add(const TenantAddOptions& options, std::ostream& out, std::ostream& err);

void add_tenant_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
