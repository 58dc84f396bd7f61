// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/check.h"

#include <algorithm>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "config/manifest/routes.h"
#include "platform/collections.h"

namespace integreat::cli {

int check(const ConfigurationOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = load_valid_configuration(options, err);
    if (!configuration) return exit_failure;
    std::size_t width = 0;
    for (const auto& manifest : configuration->manifests)
        width = std::max(width, manifest.app.text.size());
    std::size_t routes = 0, collections = 0;
    for (const auto& manifest : configuration->manifests) {
        auto app_routes = config::make_routes(manifest, configuration->settings).size() +
                          platform::list_collection_routes(manifest, configuration->settings).size();
        routes += app_routes;
        collections += manifest.collections.size();
        out << fmt::format("{:<{}}  {}, {}, {}, {}, Firebase project {}\n", manifest.app.text, width,
                           format_count(app_routes, "route"),
                           format_count(manifest.collections.size(), "collection"),
                           format_count(manifest.upstreams.size(), "upstream"),
                           format_count(manifest.roles.size(), "role"), manifest.firebase_project);
    }
    out << "The configuration is valid: " << format_count(configuration->manifests.size(), "app") << ", "
        << format_count(collections, "collection") << ", " << format_count(routes, "route") << ".\n";
    return exit_success;
}

void add_check_command(CLI::App& app, CommandContext& context) {
    auto* command = app.add_subcommand("check", "Validate settings and manifests and report every error");
    add_configuration_option(*command, *bind_command(context, *command, check));
}

}  // namespace integreat::cli
