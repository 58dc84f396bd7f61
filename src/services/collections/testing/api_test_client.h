// SPDX-License-Identifier: Apache-2.0
// For tests only: calls the routes of the school as the gateway would, without one.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/routing/router.h"
#include "services/collections/api/routes.h"
#include "services/collections/changes/change_feed.h"
#include "services/collections/testing/collections_fixture.h"

namespace integreat::collections::testing {

struct Answer {
    int status = 0;
    http::Headers headers;
    std::string body;
    std::string type;  // Of a problem, without "/problems/".

    std::string text(std::string_view member) const;  // Of the record; empty if it is null or absent.
    std::string id() const { return text("id"); }
    std::size_t items() const;
    std::vector<std::string> ids() const;
    std::string without_id() const;  // The body of a problem but for its request's id.
};

class Calls {
public:
    explicit Calls(FeedLimits limits = {});
    // In a server of its own, which may come to harm.
    Calls(postgres::PrivateServer& server, FeedLimits limits);

    // `target` below /v1/apps/school; `caller` is "uid:role", or empty for nobody.
    Answer send(std::string_view method, const std::string& target, const std::string& caller,
                std::string body = {}, http::Headers headers = {});

    // A stream, asked for in the same way.
    http::Stream open(const std::string& target, const std::string& caller, http::Headers headers = {});

    void serve(const ImportLimits& imports);  // From now on with these.

    void lose_database();  // From now on there is no server where the pool looks for it.

    FixedClock clock;
    std::shared_ptr<const Model> model = school();
    std::unique_ptr<LentDatabase> lent;  // Given back when pool and feed are gone.
    postgres::testing::TestDatabase database;
    std::unique_ptr<postgres::Pool> pool;
    std::shared_ptr<Feed> feed;
    std::chrono::seconds token_lasts{3600};
    // As on an I/O thread: each call is offered a lane, and what it defers is asked again without one.
    std::atomic<int> later = 0;     // Answered by the lane.
    std::atomic<int> deferred = 0;  // Asked again.

private:
    void begin(const FeedLimits& limits);
    http::Response answer(std::string_view method, const std::string& target, const std::string& caller,
                          std::string body, http::Headers headers);

    http::Response ask(const http::Request& request, http::Call& call);

    std::unique_ptr<http::Router> router_;
    std::atomic<int> calls_ = 0;
};

}  // namespace integreat::collections::testing
