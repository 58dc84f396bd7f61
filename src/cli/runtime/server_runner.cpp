// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/server_runner.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/runtime/config_loader.h"
#include "cli/runtime/config_watcher.h"

namespace integreat::cli {

namespace {

// Writes all of `lines`. Lines that cannot be written are lost, since logging must not block requests.
void write_lines(int file, std::string_view lines) {
    while (!lines.empty()) {
        ssize_t written = ::write(file, lines.data(), lines.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            log({.level = Level::error,
                 .message = "the access log cannot be written",
                 .fields = {{"cause", strerror(errno)}}});
            return;
        }
        lines.remove_prefix(static_cast<std::size_t>(written));
    }
}

metrics::Counter& reloads(RunningServer& running, const char* result) {
    return running.metrics.counter("integreat_reloads_total", "Reloads of the configuration.",
                                   {{"result", result}});
}

Result<std::size_t> load_and_apply_configuration(RunningServer& running) {
    auto loaded = config::load_configuration(read_configuration(running.configuration.folder),
                                             running.configuration.environment);
    if (!loaded.is_valid()) {
        std::string all;
        for (const auto& diagnostic : loaded.errors)
            all += (all.empty() ? "" : "; ") + config::to_string(diagnostic);
        return Error{Fault::invalid, std::to_string(loaded.errors.size()) + " errors", all};
    }
    for (const auto& warning : loaded.warnings)
        log({.level = Level::warning, .message = config::to_string(warning)});
    auto apps = loaded.value.manifests.size();
    if (running.before_reload) TRY(running.before_reload(loaded.value));
    TRY(running.platform.reload(std::move(loaded.value)));
    return apps;
}

void reload(RunningServer& running) {
    auto loaded = load_and_apply_configuration(running);
    reloads(running, loaded ? "loaded" : "refused").add();
    if (loaded) {
        log({.message = "configuration loaded", .fields = {{"apps", std::to_string(*loaded)}}});
        return;
    }
    log({.level = Level::error,
         .message = "configuration not loaded, the previous one stays in force",
         .fields = {{"error", loaded.error().message}, {"cause", loaded.error().cause}}});
}

}  // namespace

net::ServerSettings to_server_settings(const config::Settings& settings) {
    const auto& [listen, http, blocking_pool] =
        std::tie(settings.listen, settings.http, settings.blocking_pool);
    net::ServerSettings server;
    server.address = listen.address;
    server.port = listen.port;
    server.threads = listen.threads;
    server.backlog = listen.backlog;
    server.max_connections = listen.max_connections;
    server.max_connections_per_client = listen.max_connections_per_client;
    server.max_requests_per_connection = http.max_requests_per_connection;
    server.problem_base_url = http.problem_base_url;
    server.trusted_proxies = listen.trusted_proxies;
    server.tls_certificate_file = listen.tls_certificate_file;
    server.tls_key_file = listen.tls_key_file;
    server.max_header_bytes = http.max_header_bytes;
    server.max_header_count = http.max_header_count;
    server.max_target_bytes = http.max_target_bytes;
    server.max_body_bytes = http.max_body_bytes;
    server.header_timeout = http.header_timeout;
    server.body_timeout = http.body_timeout;
    server.idle_timeout = http.idle_timeout;
    server.write_timeout = http.write_timeout;
    server.drain_timeout = http.drain_timeout;
    server.max_response_bytes_in_flight = http.max_response_bytes_in_flight;
    server.min_body_bytes_per_second = http.min_body_bytes_per_second;
    server.min_response_bytes_per_second = http.min_response_bytes_per_second;
    server.blocking_threads = blocking_pool.threads;
    server.max_blocking_queue_length = blocking_pool.max_queue_length;
    return server;
}

Result<gateway::AccessLog::Sink> open_access_log(const std::string& where) {
    if (where.empty()) return gateway::AccessLog::Sink();
    int file = STDOUT_FILENO;
    if (where != "-") file = ::open(where.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file < 0) {
        return Error{Fault::invalid,
                     fmt::format("the access log {} cannot be opened: {}", where, strerror(errno)), ""};
    }
    return gateway::AccessLog::Sink([file](std::string_view lines) { write_lines(file, lines); });
}

void configure_log(const config::LogSettings& settings) {
    static const std::map<std::string, Level, std::less<>> levels{
        {"debug", Level::debug}, {"info", Level::info}, {"warning", Level::warning}, {"error", Level::error}};
    auto level = levels.find(settings.level);
    ASSERT(level != levels.end());  // The settings have passed their checks.
    integreat::configure_log(settings.format == "json" ? LogFormat::json : LogFormat::text, level->second);
}

bool run_until_stopped(RunningServer& running) {
    for (const char* result : {"loaded", "refused"})
        reloads(running, result);  // Creates the counters with the value 0.
    auto watcher = ConfigWatcher::start(running.configuration.folder, [] { Signals::request_reload(); });
    if (!watcher) {
        log({.level = Level::warning,
             .message = "configuration files are not watched; send SIGHUP after a change",
             .fields = {{"cause", watcher.error().message}}});
    }
    while (running.signals.wait() == Signal::reload) {
        reload(running);
        if (!running.secure) continue;
        if (auto renewed = running.server.reload_certificates(); !renewed) {
            log({.level = Level::error,
                 .message = "TLS certificate not reloaded",
                 .fields = {{"cause", renewed.error().message}}});
        }
    }
    log({.message = "stopping after the requests in progress"});
    return running.server.drain();
}

}  // namespace integreat::cli
