// SPDX-License-Identifier: Apache-2.0
// Users of the local Firebase Auth, from the command line: added, given a role, listed. Works whether
// `integreat dev` runs or not.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

#include "cli/runtime/configuration_commands.h"

namespace integreat::cli {

struct UserOptions {
    ConfigurationOptions configuration;
    std::filesystem::path data = ".integreat";
    std::string app;  // Empty for `list`: all apps.
    std::string email;
    std::string password;  // Empty for `add`: a new one is made and printed.
    std::string role;
    std::string claims;  // A JSON object beside the role; empty: none.
};

// integreat user add --app campus --email ann@example.com --role registrar
int user_add(const UserOptions& options, std::ostream& out, std::ostream& err);

// integreat user claims --app campus --email ann@example.com --role registrar: takes the place of all claims.
int user_claims(const UserOptions& options, std::ostream& out, std::ostream& err);

// integreat user list [--app campus]
int user_list(const UserOptions& options, std::ostream& out, std::ostream& err);

}  // namespace integreat::cli
