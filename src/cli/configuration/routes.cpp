// SPDX-License-Identifier: Apache-2.0
#include "cli/configuration/routes.h"

#include <algorithm>
#include <array>
#include <ostream>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/system_clock.h"
#include "base/text/ascii.h"
#include "base/text/closest_match.h"
#include "config/manifest/routes.h"
#include "crypto/system_random.h"
#include "json/binding/units.h"
#include "json/document/node.h"
#include "platform/collections.h"
#include "platform/routes.h"

namespace integreat::cli {

namespace {

using Row = std::array<std::string, 5>;

std::string describe_access(const http::Access& access) {
    using Audience = http::Access::Audience;
    std::string who = access.audience == Audience::anyone      ? "anyone"
                      : access.audience == Audience::roles     ? join(access.roles, ", ")
                      : access.audience == Audience::operators ? "operators"
                                                               : "signed in";
    if (access.keys_as_roles) return who + ", or key with role:NAME";
    return access.scope.empty() ? who : who + ", or key with " + access.scope;
}

std::string describe_limit(const http::RateLimit& limit) {
    auto window = json::format_duration(std::chrono::milliseconds(limit.window).count());
    return fmt::format("{} per {}, burst {}", limit.requests, window, limit.burst);
}

std::string describe_upstream(const http::Route& route) {
    if (!route.upstream) return "the platform";
    const auto& upstream = *route.upstream;
    bool v6 = upstream.host.find(':') != std::string::npos;
    return fmt::format("{} {}://{}{}{}:{}{}{}", upstream.name, upstream.secure ? "https" : "http",
                       v6 ? "[" : "", upstream.host, v6 ? "]" : "", upstream.port, upstream.path_prefix,
                       route.upstream_target);
}

void print_table(const std::vector<http::Route>& routes, std::ostream& out) {
    std::vector<Row> rows{{"METHOD", "PATH", "ACCESS", "RATE LIMIT", "SERVED BY"}};
    for (const auto& route : routes) {
        rows.push_back({std::string(http::to_string(route.method)), route.pattern,
                        describe_access(route.access), describe_limit(route.limit),
                        describe_upstream(route)});
    }
    std::array<std::size_t, 5> widths{};
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    }
    for (const auto& row : rows) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i)
            out << fmt::format("{:<{}}  ", row[i], widths[i]);
        out << row.back() << "\n";
    }
}

boost::json::object to_json_object(const http::Route& route) {
    boost::json::object object{{"name", route.name},
                               {"method", http::to_string(route.method)},
                               {"path", route.pattern},
                               {"app", route.tenant.text},
                               {"access", describe_access(route.access)},
                               {"requests", route.limit.requests},
                               {"window_s", route.limit.window.count()},
                               {"burst", route.limit.burst},
                               {"body_bytes_max", route.max_body_bytes},
                               {"timeout_ms", route.timeout.count()}};
    object["upstream"] = route.upstream ? boost::json::value(describe_upstream(route)) : nullptr;
    return object;
}

void print_json(const std::vector<http::Route>& routes, std::ostream& out) {
    std::string_view separator = "[\n";
    for (const auto& route : routes) {
        out << separator << boost::json::serialize(to_json_object(route));
        separator = ",\n";
    }
    out << (routes.empty() ? "[]\n" : "\n]\n");
}

int routes_manual(std::ostream& out) {
    SystemClock clock;
    crypto::SystemRandom random;
    out << platform::routes_manual(clock, random);
    return exit_success;
}

}  // namespace

int routes(const RoutesOptions& options, std::ostream& out, std::ostream& err) {
    if (options.manual) return routes_manual(out);
    auto configuration = load_valid_configuration(options.configuration, err);
    if (!configuration) return exit_failure;
    std::vector<http::Route> listed;
    std::vector<std::string> apps;
    for (const auto& manifest : configuration->manifests) {
        apps.push_back(manifest.app.text);
        if (options.app && *options.app != manifest.app.text) continue;
        for (auto own : {config::make_routes(manifest, configuration->settings),
                         platform::list_collection_routes(manifest, configuration->settings)})
            std::move(own.begin(), own.end(), std::back_inserter(listed));
    }
    if (options.app && std::find(apps.begin(), apps.end(), *options.app) == apps.end()) {
        auto hint = did_you_mean(*options.app, apps);
        err << "unknown app " << json::quoted(*options.app)
            << (hint.empty() ? "; the apps are " + join(apps, ", ") : hint) << "\n";
        return exit_failure;
    }
    options.json ? print_json(listed, out) : print_table(listed, out);
    return exit_success;
}

void add_routes_command(CLI::App& app, CommandContext& context) {
    auto* command =
        app.add_subcommand("routes", "List the gateway's routes with their access rules and limits");
    auto options = bind_command(context, *command, routes);
    add_configuration_option(*command, options->configuration);
    command->add_option("--app", options->app, "List only the routes of this app");
    auto* json = command->add_flag("--json", options->json, "Print JSON");
    command
        ->add_flag("--manual", options->manual,
                   "Print the manual of the platform's own routes, docs/reference/api.md")
        ->excludes(json);
}

}  // namespace integreat::cli
