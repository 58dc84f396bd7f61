// SPDX-License-Identifier: Apache-2.0
// `integreat serve`: runs the platform in production. The databases are named by DATABASE_URL (the platform's
// own) and DATABASE_URL_<APP> (one per tenant), each with an optional _DIRECT variant for migrations that
// bypass a connection pooler.
#pragma once

#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct ServeOptions {
    ConfigurationOptions configuration;
};

int serve(const ServeOptions& options, std::ostream& out, std::ostream& err);

void add_serve_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
