// SPDX-License-Identifier: Apache-2.0
// `integreat serve`: the platform in production. Databases are named by DATABASE_URL (the platform's own) and
// DATABASE_URL_<APP> (each tenant's), each with _DIRECT beside it for migrations past a pooler.
#pragma once

#include <iosfwd>

#include "cli/runtime/configuration_commands.h"

namespace integreat::cli {

struct ServeOptions {
    ConfigurationOptions configuration;
};

int serve(const ServeOptions& options, std::ostream& out, std::ostream& err);

}  // namespace integreat::cli
