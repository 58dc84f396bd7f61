// SPDX-License-Identifier: Apache-2.0
// A whole gateway over two small applications, for tests. Its tokens are readable: "Bearer campus:u1:student"
// is a user of campus, "Bearer key:campus:k1:grades.read" an API key.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/pipeline/pipeline.h"

namespace integreat::gateway::testing {

// Authenticates the readable tokens; "wait:..." requires a thread that may block, "bad" fails.
identity::AuthResult fake_identify(std::string_view authorization, bool may_block);

struct TestResponse {
    int status = 0;
    http::Headers headers;  // Headers of the response and of the context.
    std::string body;
    std::optional<http::ProxyRequest> proxy_request;
    bool streamed = false;  // `body` contains the bytes that were available without waiting.
    std::string type;       // Slug of a problem: the last segment of its `type`.
    http::RequestContext context;
};

class GatewayFixture {
public:
    GatewayFixture();

    // Publishes a snapshot with these routes of campus in addition to campus_routes().
    void publish(std::vector<http::Route> more = {});

    TestResponse send(http::Request request);
    TestResponse get(std::string target, std::string token = {});
    TestResponse post(std::string target, std::string token, std::string body, http::Headers headers = {});

    http::Exposure exposure = http::Exposure::operators;  // Exposure of the listener.
    FixedRandom random;
    FixedClock clock;
    metrics::Registry metrics;
    SnapshotHolder snapshots;
    RequestIdGenerator request_ids{random};
    RateLimiter rate_limiter{4096, random};
    DenialLog denial_log{1000};
    Gateway gateway{.clock = clock,
                    .snapshots = snapshots,
                    .request_ids = request_ids,
                    .rate_limiter = rate_limiter,
                    .denial_log = denial_log,
                    .identify = [](std::string_view authorization, const identity::Projects&, bool may_block,
                                   Monotonic) { return fake_identify(authorization, may_block); },
                    .metrics = metrics};
    http::Application application = make_application(gateway);
    config::Settings settings;
    config::Manifest campus;  // Used by the next publish().
    std::uint64_t generation = 0;
};

// Routes of campus, one per feature of the gateway.
std::vector<http::Route> campus_routes();
config::Manifest make_manifest(std::string app);

}  // namespace integreat::gateway::testing
