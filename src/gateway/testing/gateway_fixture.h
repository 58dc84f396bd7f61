// SPDX-License-Identifier: Apache-2.0
// For tests: a whole gateway over two small applications, with tokens that say plainly whose they are:
// "Bearer campus:u1:student" is a user of campus, "Bearer key:campus:k1:grades.read" a key.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/pipeline/pipeline.h"

namespace integreat::gateway::testing {

// What the token says; "wait:..." must be asked for a second time, "bad" is denied.
identity::Verdict fixed_identify(std::string_view authorization, bool may_wait);

struct Answer {
    int status = 0;
    http::Headers headers;  // Of the reply and of the call.
    std::string body;
    std::optional<http::Relay> relay;
    bool streamed = false;  // Then `body` is what was there to be sent without waiting.
    std::string type;       // Of a problem, without "/problems/".
    http::Call call;
};

class World {
public:
    World();

    // Routes of campus besides those there already; publishes.
    void publish(std::vector<http::Route> more = {});

    Answer send(http::Request request);
    Answer get(std::string target, std::string token = {});
    Answer post(std::string target, std::string token, std::string body, http::Headers headers = {});

    FixedRandom random;
    FixedClock clock;
    metrics::Registry metrics;
    Published snapshots;
    Numbering numbering{random};
    Buckets buckets{4096, random};
    Decisions decisions{1000};
    Gateway gateway{.clock = clock,
                    .snapshots = snapshots,
                    .numbering = numbering,
                    .buckets = buckets,
                    .decisions = decisions,
                    .identify = [](std::string_view authorization, const identity::Projects&, bool may_wait,
                                   Monotonic) { return fixed_identify(authorization, may_wait); },
                    .metrics = metrics};
    http::Application application = make_application(gateway);
    config::Settings settings;
    config::Manifest campus;  // In force from the next publish() on.
    std::uint64_t generation = 0;
};

// Routes of campus that each show one thing.
std::vector<http::Route> campus_routes();
config::Manifest manifest_of(std::string app);

}  // namespace integreat::gateway::testing
