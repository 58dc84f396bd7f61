// SPDX-License-Identifier: Apache-2.0
// The page /try/{app} of `integreat dev`: a person signs in, and the page talks to the app's bucket as a
// frontend would (sdk/js/try/). Its script is made by npm and read from a folder; without it the page says
// how to make it. Production does not have these routes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/routing/route.h"

namespace integreat::gateway {

struct TrySetup {
    std::string title;                 // Of the app.
    std::string json;                  // For the script.
    std::vector<std::string> origins;  // Whom the page calls besides us.
};

struct TryPage {
    std::function<std::optional<TrySetup>(std::string_view app)> setup;       // Nothing: no such app.
    std::function<std::optional<std::string>(const std::string& name)> file;  // Nothing: it was not made.
    std::string how_to_make;                                                  // Commands that make the files.
};

// /try/{app} and /try/files/{name}
std::vector<http::Route> try_routes(TryPage page);

}  // namespace integreat::gateway
