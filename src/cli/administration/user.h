// SPDX-License-Identifier: Apache-2.0
// `integreat user`: manages the users of the local Firebase Auth, whether `integreat dev` runs or not.
#pragma once

#include <filesystem>
#include <string>

#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct UserOptions {
    ConfigurationOptions configuration;
    std::filesystem::path data = ".integreat";
    std::string app;  // Empty for `list`: all apps.
    std::string email;
    std::string password;  // Empty for `add`: a random one is generated and printed.
    std::string role;
    std::string claims;  // Additional custom claims as a JSON object; empty: none.
};

// integreat user add --app campus --email ann@example.com --role registrar
int user_add(const UserOptions& options, std::ostream& out, std::ostream& err);

// integreat user claims --app campus --email ann@example.com --role registrar: replaces all custom claims.
int user_claims(const UserOptions& options, std::ostream& out, std::ostream& err);

// integreat user list [--app campus]
int user_list(const UserOptions& options, std::ostream& out, std::ostream& err);

void add_user_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
