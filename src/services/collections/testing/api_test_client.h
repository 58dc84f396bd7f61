// SPDX-License-Identifier: Apache-2.0
// Calls the routes of the test app "school" as the gateway does, without a gateway or a server.
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

struct ApiResponse {
    int status = 0;
    http::Headers headers;
    std::string body;
    std::string type;  // Slug of a problem: the last segment of its `type`.

    std::string text(std::string_view member) const;  // Member of the record; empty if null or absent.
    std::string id() const { return text("id"); }
    std::size_t items() const;
    std::vector<std::string> ids() const;
    std::string without_id() const;  // Problem body without the request ID.
};

class ApiTestClient {
public:
    explicit ApiTestClient(ChangeFeedLimits limits = {});
    // Uses its own database server, which the test may stop.
    ApiTestClient(postgres::EmbeddedPostgres& server, ChangeFeedLimits limits);

    // Sends a request. `target` is relative to /v1/apps/school; `caller` is "uid:role", or empty for an
    // anonymous request.
    ApiResponse send(std::string_view method, const std::string& target, const std::string& caller,
                     std::string body = {}, http::Headers headers = {});

    // Sends a GET request with a streaming response.
    http::StreamingResponse open(const std::string& target, const std::string& caller,
                                 http::Headers headers = {});

    // Builds the routes again with these limits.
    void set_import_limits(const config::ImportSettings& imports);

    // Replaces the pool by one whose server does not exist.
    void disconnect_database();

    FixedClock clock;
    std::shared_ptr<const Model> model = make_school_model();
    std::unique_ptr<PooledTestDatabase>
        pooled_database;  // Declared first: returned after pool and feed are destroyed.
    postgres::testing::TestDatabase database;
    std::unique_ptr<postgres::Pool> pool;
    std::shared_ptr<ChangeFeed> feed;
    std::chrono::seconds token_lifetime{3600};
    // Requests run as on an I/O thread first, and again as on a blocking thread if the handler asks for one.
    std::atomic<int> async_responses = 0;  // Requests completed asynchronously.
    std::atomic<int> blocking_calls = 0;   // Requests run again on a blocking thread.

private:
    void open_database(const ChangeFeedLimits& limits);
    http::Response call(std::string_view method, const std::string& target, const std::string& caller,
                        std::string body, http::Headers headers);

    http::Response run_handler(const http::Request& request, http::RequestContext& context);

    std::unique_ptr<http::Router> router_;
    std::atomic<int> request_count_ = 0;
};

}  // namespace integreat::collections::testing
