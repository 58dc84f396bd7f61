// SPDX-License-Identifier: Apache-2.0
#include "cli/servers/serve.h"

#include <ostream>

#include <CLI/CLI.hpp>
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

net::ServerSettings make_operators_settings(net::ServerSettings transport,
                                            const config::OperatorsSettings& operators) {
    transport.address = operators.address;
    transport.port = operators.port;
    transport.exposure = http::Exposure::operators;
    transport.threads = 1;
    transport.blocking_threads = 4;
    return transport;
}

// Without TLS, tokens and personal data cross the network in clear text.
void warn_about_plain_http(const net::ServerSettings& transport) {
    bool loopback = transport.address.starts_with("127.") || transport.address == "::1";
    if (loopback || !transport.tls_certificate_file.empty() || !transport.trusted_proxies.empty()) return;
    log({.level = Level::warning,
         .message = "listening without TLS on a public address: set listen.tls_certificate_file and "
                    "listen.tls_key_file, or stand behind a proxy with TLS and name it in "
                    "listen.trusted_proxies",
         .fields = {{"address", transport.address}}});
}

Result<bool> run_platform(const ServeOptions& options, config::Configuration configuration,
                          Signals& signals) {
    SystemClock clock;
    crypto::SystemRandom random;
    net::CurlHttpClient curl;
    net::UpstreamRegistry upstreams;
    net::CircuitBreakingClient http_client(curl, upstreams, clock);
    metrics::Registry metrics;

    const auto& settings = configuration.settings;
    if (settings.identity.operators_project.empty()) {
        log({.message = "no operators, only platform keys: identity.operators_project is not set"});
    }
    auto limits = to_pool_settings(settings.database);
    auto urls = TRY(find_database_urls(configuration, options.configuration.environment));
    auto databases = TRY(postgres::DatabaseRegistry::open_external(
        std::move(urls), platform::all_migrations(), limits, clock));
    TRY(verify_databases(*databases, configuration, clock));

    auto transport = to_server_settings(settings);
    auto operators = settings.operators;
    warn_about_plain_http(transport);
    auto access_log = TRY(open_access_log(settings.log.access_log));
    auto platform = TRY(platform::Platform::make(std::move(configuration), {.clock = clock,
                                                                            .random = random,
                                                                            .http_client = http_client,
                                                                            .metrics = metrics,
                                                                            .databases = *databases,
                                                                            .access_log = access_log}));
    if (!platform->fetch_keys()) {
        log({.level = Level::warning,
             .message = "Firebase keys cannot be fetched; ID tokens are rejected until this succeeds"});
    }
    std::unique_ptr<net::Server> operators_server;  // Outlives the public one: /metrics works during a drain.
    if (auto internal = make_operators_settings(transport, operators); internal.port != 0) {
        operators_server =
            TRY(net::Server::start(internal, platform->application(), upstreams, metrics, clock));
    }
    auto server = TRY(net::Server::start(transport, platform->application(), upstreams, metrics, clock));
    log({.message = "serving",
         .fields = {{"address", transport.address}, {"port", std::to_string(server->port())}}});
    RunningServer running_server{.platform = *platform,
                                 .server = *server,
                                 .signals = signals,
                                 .metrics = metrics,
                                 .secure = !transport.tls_certificate_file.empty(),
                                 .configuration = options.configuration,
                                 .before_reload = [&](const config::Configuration& next) -> Result<> {
                                     for (const auto& manifest : next.manifests)
                                         TRY(databases->add(manifest.app));
                                     return verify_databases(*databases, next, clock);
                                 }};
    return run_until_stopped(running_server);
}

}  // namespace

int serve(const ServeOptions& options, std::ostream&, std::ostream& err) {
    Signals signals;
    tune_process();
    auto configuration = load_valid_configuration(options.configuration, err);
    if (!configuration) return exit_failure;
    configure_log(configuration->settings.log);
    auto drained = run_platform(options, std::move(*configuration), signals);
    if (!drained) {
        return print_error_with_cause("serve", drained.error(), err);
    }
    return *drained ? exit_success : exit_failure;
}

void add_serve_command(CLI::App& app, CommandContext& context) {
    auto* command = app.add_subcommand(
        "serve", "Run the platform in production, with databases from DATABASE_URL and Google's Firebase");
    auto options = bind_command(context, *command, serve);
    add_configuration_option(*command, options->configuration);
}

}  // namespace integreat::cli
