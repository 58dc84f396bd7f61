// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ostream>
#include <set>

#include <fmt/format.h>

#include "cli/runtime/config_loader.h"
#include "cli/runtime/configuration_commands.h"
#include "config/manifest/routes.h"
#include "platform/collections.h"

namespace integreat::cli {

namespace {

std::string counted(std::size_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

void print_mistakes(const std::vector<config::Mistake>& mistakes, std::ostream& err) {
    std::set<std::string> files;
    for (const auto& mistake : mistakes) {
        err << to_string(mistake) << "\n";
        files.insert(mistake.file);
    }
    err << counted(mistakes.size(), "mistake") << " in " << counted(files.size(), "file") << ".\n";
}

}  // namespace

std::optional<config::Configuration> good_configuration(const ConfigurationOptions& options,
                                                        std::ostream& err) {
    auto checked = config::load_configuration(read_configuration(options.folder), options.environment);
    if (checked.good()) return std::move(checked.value);
    print_mistakes(checked.mistakes, err);
    return std::nullopt;
}

int check(const ConfigurationOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = good_configuration(options, err);
    if (!configuration) return 1;
    std::size_t width = 0;
    for (const auto& manifest : configuration->manifests)
        width = std::max(width, manifest.app.text.size());
    std::size_t routes = 0, collections = 0;
    for (const auto& manifest : configuration->manifests) {
        auto own = config::routes_of(manifest, configuration->settings).size() +
                   platform::routes_of_collections(manifest, configuration->settings).size();
        routes += own;
        collections += manifest.collections.size();
        out << fmt::format("{:<{}}  {}, {}, {}, {}, Firebase project {}\n", manifest.app.text, width,
                           counted(own, "route"), counted(manifest.collections.size(), "collection"),
                           counted(manifest.upstreams.size(), "upstream"),
                           counted(manifest.roles.size(), "role"), manifest.firebase_project);
    }
    out << "The configuration is good: " << counted(configuration->manifests.size(), "app") << ", "
        << counted(collections, "collection") << ", " << counted(routes, "route") << ".\n";
    return 0;
}

}  // namespace integreat::cli
