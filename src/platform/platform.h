// SPDX-License-Identifier: Apache-2.0
// Configuration and world become the running platform: the only place that sees every folder. What it
// makes is one http::Application; which transport carries requests to it is decided by its caller (cli/).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "config/configuration/configuration.h"
#include "gateway/logging/access_log.h"
#include "http/routing/route.h"
#include "http/transport/application.h"
#include "http/transport/client.h"
#include "metrics/registry.h"
#include "postgres/databases/registry.h"

namespace integreat::platform {

// What the process has of the world outside. Everything outlives the platform.
struct World {
    const Clock& clock;
    Random& random;
    http::Outbound& outbound;
    metrics::Registry& metrics;
    postgres::Databases& databases;
    gateway::AccessLog::Sink access_log;        // Empty: no access log.
    std::vector<http::Route> more_routes = {};  // What only this process has: pages of `integreat dev`.
};

class Platform {
public:
    // Fault::invalid if the manifests cannot be served together; the configuration has passed its checks.
    static Result<std::unique_ptr<Platform>> make(config::Configuration configuration, const World& world);

    // Writes down what is buffered; bounded in time.
    ~Platform();
    Platform(const Platform&) = delete;

    const http::Application& application() const;

    // Other manifests from now on; requests under way end with those they began with. The settings stay what
    // they were at the start. An error changes nothing.
    Result<> reload(config::Configuration configuration);

    // Fetches the keys that tokens are verified with, so that the first request need not wait for them.
    bool fetch_keys();

    // A new API key of the platform itself: what our own commands call the admin routes with.
    Result<Secret> make_operator_key(const std::string& name);

private:
    struct Parts;
    explicit Platform(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace integreat::platform
