// SPDX-License-Identifier: Apache-2.0
// The page /try/{app} of `integreat dev`: after sign-in, it calls the app's bucket as a frontend would
// (sdk/js/try/). Its script is built by npm and read from a folder; without it, the page shows the build
// commands. Production does not have these routes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/routing/route.h"

namespace integreat::gateway {

struct PlaygroundConfig {
    std::string title;                 // Title of the app.
    std::string json;                  // Configuration for the script.
    std::vector<std::string> origins;  // Origins that the page calls besides its own.
};

struct StoragePlayground {
    // Returns nullopt if there is no such app.
    std::function<std::optional<PlaygroundConfig>(std::string_view app)> config;
    // Returns nullopt if the file has not been built.
    std::function<std::optional<std::string>(const std::string& name)> file;
    std::string build_commands;  // Commands that build the files.
};

// Makes /try/{app} and /try/files/{name}.
std::vector<http::Route> storage_playground_routes(StoragePlayground playground);

}  // namespace integreat::gateway
