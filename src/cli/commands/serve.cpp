// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/serve.h"

#include <ostream>

#include <fmt/format.h>

#include "base/log.h"
#include "base/system_clock.h"
#include "cli/runtime/databases.h"
#include "cli/runtime/server_runner.h"
#include "crypto/system_random.h"
#include "net/client/circuit_breaking_client.h"
#include "net/client/curl_client.h"
#include "net/proxy/upstream_pool.h"

namespace integreat::cli {

namespace {

Result<bool> run(const ServeOptions& options, config::Configuration configuration, Signals& signals) {
    SystemClock clock;
    crypto::SystemRandom random;
    net::CurlOutbound curl;
    net::Upstreams upstreams;
    net::UpstreamOutbound outbound(curl, upstreams, clock);
    metrics::Registry metrics;

    const auto& settings = configuration.settings;
    auto limits = pool_limits(settings.database);
    auto urls = TRY(urls_of(configuration, options.configuration.environment));
    auto databases = TRY(postgres::Databases::open_given(std::move(urls), limits, clock));
    TRY(check_models(*databases, configuration, clock));

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
                        return check_models(*databases, next, clock);
                    }};
    return serve_until_told(serving);
}

}  // namespace

int serve(const ServeOptions& options, std::ostream&, std::ostream& err) {
    Signals signals;
    prepare_to_serve();
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
