// SPDX-License-Identifier: Apache-2.0
#include "config/manifest/routes.h"

#include <algorithm>
#include <array>
#include <ostream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/system_clock.h"
#include "base/text/closest_match.h"
#include "cli/runtime/configuration_commands.h"
#include "crypto/system_random.h"
#include "json/binding/units.h"
#include "json/document/node.h"
#include "platform/collections.h"
#include "platform/routes.h"

namespace integreat::cli {

namespace {

using Row = std::array<std::string, 5>;

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::string access_of(const http::Access& access) {
    using Who = http::Access::Who;
    std::string who = access.who == Who::anyone      ? "anyone"
                      : access.who == Who::roles     ? joined(access.roles)
                      : access.who == Who::operators ? "operators"
                                                     : "signed in";
    if (access.keys_as_roles) return who + ", or key with role:NAME";
    return access.scope.empty() ? who : who + ", or key with " + access.scope;
}

std::string limit_of(const http::RateLimit& limit) {
    auto window = json::format_duration(std::chrono::milliseconds(limit.window).count());
    return fmt::format("{} in {}, {} at once", limit.requests, window, limit.burst);
}

std::string upstream_of(const http::Route& route) {
    if (!route.upstream) return "the platform";
    const auto& upstream = *route.upstream;
    bool v6 = upstream.host.find(':') != std::string::npos;
    return fmt::format("{} {}://{}{}{}:{}{}{}", upstream.name, upstream.secure ? "https" : "http",
                       v6 ? "[" : "", upstream.host, v6 ? "]" : "", upstream.port, upstream.path_prefix,
                       route.upstream_target);
}

void print_table(const std::vector<http::Route>& routes, std::ostream& out) {
    std::vector<Row> rows{{"METHOD", "PATH", "WHO MAY", "EACH CALLER", "ANSWERED BY"}};
    for (const auto& route : routes) {
        rows.push_back({std::string(http::to_string(route.method)), route.pattern, access_of(route.access),
                        limit_of(route.limit), upstream_of(route)});
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

boost::json::object json_of(const http::Route& route) {
    boost::json::object object{{"name", route.name},
                               {"method", http::to_string(route.method)},
                               {"path", route.pattern},
                               {"app", route.tenant.text},
                               {"access", access_of(route.access)},
                               {"requests", route.limit.requests},
                               {"window_s", route.limit.window.count()},
                               {"burst", route.limit.burst},
                               {"body_bytes_max", route.body_bytes_max},
                               {"timeout_ms", route.timeout.count()}};
    object["upstream"] = route.upstream ? boost::json::value(upstream_of(route)) : nullptr;
    return object;
}

void print_json(const std::vector<http::Route>& routes, std::ostream& out) {
    std::string_view separator = "[\n";
    for (const auto& route : routes) {
        out << separator << boost::json::serialize(json_of(route));
        separator = ",\n";
    }
    out << (routes.empty() ? "[]\n" : "\n]\n");
}

int routes_manual(std::ostream& out) {
    SystemClock clock;
    crypto::SystemRandom random;
    out << platform::routes_manual(clock, random);
    return 0;
}

}  // namespace

int routes(const RoutesOptions& options, std::ostream& out, std::ostream& err) {
    if (options.manual) return routes_manual(out);
    auto configuration = good_configuration(options.configuration, err);
    if (!configuration) return 1;
    std::vector<http::Route> listed;
    std::vector<std::string> apps;
    for (const auto& manifest : configuration->manifests) {
        apps.push_back(manifest.app.text);
        if (options.app && *options.app != manifest.app.text) continue;
        for (auto own : {config::routes_of(manifest, configuration->settings),
                         platform::routes_of_collections(manifest, configuration->settings)})
            std::move(own.begin(), own.end(), std::back_inserter(listed));
    }
    if (options.app && std::find(apps.begin(), apps.end(), *options.app) == apps.end()) {
        auto hint = did_you_mean(*options.app, apps);
        err << "there is no app " << json::quoted(*options.app)
            << (hint.empty() ? ": there are " + joined(apps) : hint) << "\n";
        return 1;
    }
    options.json ? print_json(listed, out) : print_table(listed, out);
    return 0;
}

}  // namespace integreat::cli
