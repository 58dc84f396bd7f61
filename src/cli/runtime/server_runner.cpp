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

// Writes all of `lines`; what cannot be written is gone, since a log must not stop the traffic it tells of.
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

metrics::Counter& reloads(Serving& serving, const char* result) {
    return serving.metrics.counter("integreat_reloads_total", "Times the configuration was read again.",
                                   {{"result", result}});
}

Result<std::size_t> take_configuration(Serving& serving) {
    auto loaded = config::load_configuration(read_configuration(serving.configuration.folder),
                                             serving.configuration.environment);
    if (!loaded.good()) {
        std::string all;
        for (const auto& mistake : loaded.mistakes)
            all += (all.empty() ? "" : "; ") + config::to_string(mistake);
        return Error{Fault::invalid, std::to_string(loaded.mistakes.size()) + " mistakes", all};
    }
    auto apps = loaded.value.manifests.size();
    if (serving.before_reload) TRY(serving.before_reload(loaded.value));
    TRY(serving.platform.reload(std::move(loaded.value)));
    return apps;
}

void reload(Serving& serving) {
    auto taken = take_configuration(serving);
    reloads(serving, taken ? "loaded" : "refused").add();
    if (taken) {
        log({.message = "configuration loaded", .fields = {{"apps", std::to_string(*taken)}}});
        return;
    }
    log({.level = Level::error,
         .message = "configuration not loaded, the one before stays in force",
         .fields = {{"why", taken.error().message}, {"cause", taken.error().cause}}});
}

}  // namespace

net::ServerSettings server_settings(const config::Settings& settings) {
    const auto& [listen, http, waiting] = std::tie(settings.listen, settings.http, settings.waiting);
    net::ServerSettings server;
    server.address = listen.address;
    server.port = listen.port;
    server.threads = listen.threads;
    server.backlog = listen.backlog;
    server.connections_max = listen.connections_max;
    server.connections_per_client_max = listen.connections_per_client_max;
    server.requests_per_connection_max = http.requests_per_connection_max;
    server.trusted_proxies = listen.trusted_proxies;
    server.tls_certificate_file = listen.tls_certificate_file;
    server.tls_key_file = listen.tls_key_file;
    server.header_bytes_max = http.header_bytes_max;
    server.header_count_max = http.header_count_max;
    server.target_bytes_max = http.target_bytes_max;
    server.body_bytes_max = http.body_bytes_max;
    server.header_timeout = http.header_timeout;
    server.body_timeout = http.body_timeout;
    server.idle_timeout = http.idle_timeout;
    server.write_timeout = http.write_timeout;
    server.drain_timeout = http.drain_timeout;
    server.waiting_threads = waiting.threads;
    server.waiting_queue_max = waiting.queue_max;
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

bool serve_until_told(Serving& serving) {
    for (const char* result : {"loaded", "refused"})
        reloads(serving, result);  // There from the start, at 0.
    auto watch = Watch::start(serving.configuration.folder, [] { Signals::ask_for_reload(); });
    if (!watch) {
        log({.level = Level::warning,
             .message = "changed files are not noticed; send SIGHUP after a change",
             .fields = {{"cause", watch.error().message}}});
    }
    while (serving.signals.wait() == Told::reload) {
        reload(serving);
        if (!serving.secure) continue;
        if (auto renewed = serving.server.reload_certificates(); !renewed) {
            log({.level = Level::error,
                 .message = "the certificate was not reloaded",
                 .fields = {{"cause", renewed.error().message}}});
        }
    }
    log({.message = "stopping; requests under way may finish"});
    return serving.server.drain();
}

}  // namespace integreat::cli
