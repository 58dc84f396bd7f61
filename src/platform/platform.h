// SPDX-License-Identifier: Apache-2.0
// Assembles the running platform from its configuration and dependencies: the only component that uses all
// others. The result is one http::Application; the caller (cli/) chooses the transport.
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

// The resources of the process that the platform uses. They must outlive it.
struct Dependencies {
    const Clock& clock;
    Random& random;
    http::HttpClient& http_client;
    metrics::Registry& metrics;
    postgres::DatabaseRegistry& databases;
    gateway::AccessLog::Sink access_log;         // Empty for no access log.
    std::vector<http::Route> extra_routes = {};  // Routes of this process only: pages of `integreat dev`.
};

// Returns the migrations of all components, in the order of the components: that of their application.
std::vector<postgres::Migration> all_migrations();

class Platform {
public:
    // Creates the platform from a validated configuration. Fault::invalid if two manifests conflict.
    static Result<std::unique_ptr<Platform>> make(config::Configuration configuration,
                                                  const Dependencies& dependencies);

    // Flushes the logs, within a time limit.
    ~Platform();
    Platform(const Platform&) = delete;

    const http::Application& application() const;

    // Replaces the manifests; requests in progress complete with the previous ones. The settings remain those
    // of the start. An error changes nothing.
    Result<> reload(config::Configuration configuration);

    // Overrides the setting http.problem_base_url, for a process that learns its own URL late. An error
    // changes no route.
    Result<> set_problem_base_url(std::string url);

    // Fetches the keys that verify tokens, so that the first request does not wait for them. Returns whether
    // there are usable keys.
    bool fetch_keys();

    // Creates an API key of the platform tenant, with which our own commands call the admin routes.
    Result<Secret> create_operator_key(const std::string& name);

private:
    struct State;
    explicit Platform(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace integreat::platform
