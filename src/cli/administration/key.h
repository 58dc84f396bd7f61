// SPDX-License-Identifier: Apache-2.0
// `integreat key`: creates, lists and revokes API keys through the admin API of a running gateway.
#pragma once

#include <string>
#include <vector>

#include "cli/runtime/admin_client.h"
#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct KeyOptions {
    AdminOptions admin;
    std::string app;
    std::string name;
    std::vector<std::string> scopes;
    std::string expires;  // RFC 3339, or a duration such as 90d; empty: never.
    std::string id;
};

int key_create(const KeyOptions& options, std::ostream& out, std::ostream& err);
int key_list(const KeyOptions& options, std::ostream& out, std::ostream& err);
int key_revoke(const KeyOptions& options, std::ostream& out, std::ostream& err);

void add_key_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
