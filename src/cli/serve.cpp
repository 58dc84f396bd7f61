// SPDX-License-Identifier: Apache-2.0
#include "cli/serve.h"

#include <ostream>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/serving.h"
#include "crypto/system_random.h"
#include "net/outbound.h"
#include "net/upstreams.h"
#include "platform/world.h"

namespace integreat::cli {

namespace {

// "campus-east" → "DATABASE_URL_CAMPUS_EAST"
std::string url_variable(const TenantId& tenant) {
    std::string name = "DATABASE_URL_";
    for (char character : tenant.text) {
        name +=
            character == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
    }
    return name;
}

Result<std::vector<postgres::DatabaseUrls>> urls_of(const config::Configuration& configuration,
                                                    const json::Environment& environment) {
    const auto& database = configuration.settings.database;
    if (database.url.empty()) {
        return Error{Fault::invalid,
                     "no database: set the environment variable DATABASE_URL, and in integreat.yaml "
                     "`database: {url: env:DATABASE_URL}`",
                     ""};
    }
    std::vector<postgres::DatabaseUrls> urls{{platform_tenant, database.url, database.url_direct}};
    for (const auto& manifest : configuration.manifests) {
        auto variable = url_variable(manifest.app);
        auto url = environment(variable);
        if (!url) {
            return Error{Fault::invalid,
                         fmt::format("no database for {}: set the environment variable {}", manifest.app.text,
                                     variable),
                         ""};
        }
        auto direct = environment(variable + "_DIRECT");
        urls.push_back({manifest.app, Secret(*url), Secret(direct.value_or(""))});
    }
    return urls;
}

Result<bool> run(const ServeOptions& options, config::Configuration configuration, Signals& signals) {
    platform::SystemClock clock;
    crypto::SystemRandom random;
    net::CurlOutbound outbound;
    net::Upstreams upstreams;
    metrics::Registry metrics;

    const auto& settings = configuration.settings;
    postgres::PoolSettings limits;
    limits.connections_max = settings.database.connections_max;
    limits.connect_timeout = settings.database.connect_timeout;
    limits.acquire_timeout = settings.database.acquire_timeout;
    limits.statement_timeout = settings.database.statement_timeout;
    auto urls = TRY(urls_of(configuration, options.configuration.environment));
    auto databases = TRY(postgres::Databases::open_given(std::move(urls), limits, clock));

    auto transport = server_settings(settings);
    auto access_log = TRY(open_access_log(settings.log.access_log));
    auto platform = TRY(platform::Platform::make(std::move(configuration), {.clock = clock,
                                                                            .random = random,
                                                                            .outbound = outbound,
                                                                            .metrics = metrics,
                                                                            .databases = *databases,
                                                                            .access_log = access_log}));
    if (!platform->fetch_keys()) {
        log({.level = Level::warning,
             .message = "Firebase's keys cannot be fetched yet; tokens are refused until they can"});
    }
    auto server = TRY(net::Server::start(transport, platform->application(), upstreams, metrics, clock));
    log({.message = "serving",
         .fields = {{"address", transport.address}, {"port", std::to_string(server->port())}}});
    Serving serving{.platform = *platform,
                    .server = *server,
                    .signals = signals,
                    .metrics = metrics,
                    .secure = !transport.tls_certificate_file.empty(),
                    .configuration = options.configuration,
                    .before_reload = [&](const config::Configuration& next) -> Result<> {
                        for (const auto& manifest : next.manifests)
                            TRY(databases->add(manifest.app));
                        return {};
                    }};
    return serve_until_told(serving);
}

}  // namespace

int serve(const ServeOptions& options, std::ostream&, std::ostream& err) {
    Signals signals;
    raise_open_files();
    auto configuration = good_configuration(options.configuration, err);
    if (!configuration) return 1;
    configure_log(configuration->settings.log);
    auto ended = run(options, std::move(*configuration), signals);
    if (!ended) {
        err << "integreat serve: " << ended.error().message << "\n";
        if (!ended.error().cause.empty()) err << "  " << ended.error().cause << "\n";
        return 1;
    }
    return *ended ? 0 : 1;
}

}  // namespace integreat::cli
