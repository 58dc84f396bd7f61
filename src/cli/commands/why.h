// SPDX-License-Identifier: Apache-2.0
// `integreat why REQUEST_ID`: explains why a request was allowed or denied, by the gateway or the local
// cloud.
#pragma once

#include <string>

#include "cli/runtime/admin_client.h"
#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct WhyOptions {
    AdminOptions admin;
    std::string request_id;
};

int why(const WhyOptions& options, std::ostream& out, std::ostream& err);

void add_why_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
