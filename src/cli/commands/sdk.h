// SPDX-License-Identifier: Apache-2.0
// `integreat sdk ts --app campus`: a typed client of the app's collections, on top of sdk/js.
#pragma once

#include <iosfwd>
#include <string>

#include "cli/runtime/configuration_commands.h"

namespace integreat::cli {

struct SdkOptions {
    ConfigurationOptions configuration;
    std::string app;
    std::string out;  // A file; empty: standard output.
    std::string runtime = "@integreat/client";
};

int sdk_ts(const SdkOptions& options, std::ostream& out, std::ostream& err);

}  // namespace integreat::cli
