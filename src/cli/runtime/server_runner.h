// SPDX-License-Identifier: Apache-2.0
// Runs the platform behind a server until a signal stops it; shared by `integreat dev` and `integreat serve`.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "cli/runtime/command_context.h"
#include "cli/runtime/signals.h"
#include "gateway/logging/access_log.h"
#include "net/server/server.h"
#include "platform/platform.h"

namespace integreat::cli {

net::ServerSettings to_server_settings(const config::Settings& settings);

// Opens the access log: "" for none, "-" for standard output, otherwise a file that is appended to.
Result<gateway::AccessLog::Sink> open_access_log(const std::string& where);

void configure_log(const config::LogSettings& settings);

struct RunningServer {
    platform::Platform& platform;
    net::Server& server;
    Signals& signals;
    metrics::Registry& metrics;
    bool secure = false;  // The server uses TLS, so a reload also reads the certificate.
    ConfigurationOptions configuration;
    // Called with a valid configuration before the platform applies it.
    std::function<Result<>(const config::Configuration&)> before_reload;
};

// Serves until SIGINT or SIGTERM, then drains. Reloads the configuration on SIGHUP and when a file changes;
// an invalid configuration is logged and not applied. Returns true if every request in progress could finish.
bool run_until_stopped(RunningServer& running);

}  // namespace integreat::cli
