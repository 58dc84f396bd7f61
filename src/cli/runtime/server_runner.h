// SPDX-License-Identifier: Apache-2.0
// What `integreat dev` and `integreat serve` share: the platform behind a server, until told to stop.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "cli/runtime/configuration_commands.h"
#include "cli/runtime/signals.h"
#include "gateway/logging/access_log.h"
#include "net/server/server.h"
#include "platform/platform.h"

namespace integreat::cli {

net::ServerSettings server_settings(const config::Settings& settings);

// "" for no access log, "-" for standard output, else a file that is appended to.
Result<gateway::AccessLog::Sink> open_access_log(const std::string& where);

void configure_log(const config::LogSettings& settings);

struct Serving {
    platform::Platform& platform;
    net::Server& server;
    Signals& signals;
    metrics::Registry& metrics;
    bool secure = false;  // Speaks TLS: there is a certificate to read again.
    ConfigurationOptions configuration;
    // Called with a configuration that passed its checks, before the platform takes it.
    std::function<Result<>(const config::Configuration&)> before_reload;
};

// Reloads on SIGHUP and when a file changes; a wrong file changes nothing and is reported. Returns when told
// to stop and drained: true if every request under way could finish.
bool serve_until_told(Serving& serving);

}  // namespace integreat::cli
