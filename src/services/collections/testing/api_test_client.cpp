// SPDX-License-Identifier: Apache-2.0
#include "services/collections/testing/api_test_client.h"

#include <boost/json.hpp>
#include <poll.h>

#include "http/transport/spooled_body.h"
#include "postgres/driver/completion_queue.h"
#include "services/collections/schema/table_definitions.h"

namespace integreat::collections::testing {

namespace {

boost::json::value parse_or_null(const std::string& body) {
    boost::system::error_code failure;
    auto value = boost::json::parse(body, failure);
    return failure ? boost::json::value() : value;
}

}  // namespace

std::string ApiResponse::text(std::string_view member) const {
    auto value = parse_or_null(body);
    const auto* object = value.if_object();
    const auto* found = object ? object->if_contains(member) : nullptr;
    if (!found || found->is_null()) return {};
    return found->is_string() ? std::string(found->get_string()) : boost::json::serialize(*found);
}

std::size_t ApiResponse::items() const {
    auto value = parse_or_null(body);
    const auto* object = value.if_object();
    const auto* found = object ? object->if_contains("items") : nullptr;
    return found && found->is_array() ? found->get_array().size() : 0;
}

std::vector<std::string> ApiResponse::ids() const {
    std::vector<std::string> ids;
    auto value = parse_or_null(body);
    for (const auto& item : value.at("items").as_array())
        ids.emplace_back(item.at("id").as_string());
    return ids;
}

std::string ApiResponse::without_id() const {
    auto value = parse_or_null(body);
    value.as_object().erase("request_id");
    return boost::json::serialize(value);
}

ApiTestClient::ApiTestClient(ChangeFeedLimits limits)
    : pooled_database(std::make_unique<PooledTestDatabase>(*model)), database(**pooled_database) {
    open_database(limits);
}

ApiTestClient::ApiTestClient(postgres::EmbeddedPostgres& server, ChangeFeedLimits limits)
    : database(make_database(*model, server)) {
    open_database(limits);
}

void ApiTestClient::open_database(const ChangeFeedLimits& limits) {
    pool = std::make_unique<postgres::Pool>(database.pool, clock);
    feed = std::make_shared<ChangeFeed>(ChangeFeedSettings{.app = model->app,
                                                           .process = "00000000-0000-4000-8000-000000000001",
                                                           .pool = [this] { return pool.get(); },
                                                           .listen_url = [this] { return database.pool.url; },
                                                           .limits = limits},
                                        clock);
    set_import_limits({});
}

void ApiTestClient::set_import_limits(const config::ImportSettings& imports) {
    auto context = std::make_shared<const CollectionsContext>(
        CollectionsContext{.plan = compile_plan(model),
                           .pool = [this] { return pool.get(); },
                           .cursor_key = Secret("a key of thirty-two bytes length."),
                           .feed = feed,
                           .fingerprint = schema_fingerprint(*model),
                           .imports = imports});
    auto router = http::Router::build(make_routes(context, {}));
    ASSERT(router);
    router_ = std::make_unique<http::Router>(*std::move(router));
}

void ApiTestClient::disconnect_database() {
    auto settings = database.pool;
    settings.url = Secret("host=/nonexistent dbname=x user=x");
    settings.connect_timeout = std::chrono::milliseconds(50);
    pool = std::make_unique<postgres::Pool>(settings, clock);
}

http::Response ApiTestClient::call(std::string_view method, const std::string& target,
                                   const std::string& caller, std::string body, http::Headers headers) {
    http::Request request{.method = *http::parse_method(method),
                          .target = "/v1/apps/school" + target,
                          .headers = std::move(headers),
                          .body = std::move(body)};
    http::RequestContext context;
    context.id = {"req_" + std::to_string(++request_count_)};
    context.tenant = model->app;
    context.may_block = true;
    context.started = clock.now();
    context.arrived = clock.monotonic();
    auto match = router_->match(request.method, request.path());
    auto* found = std::get_if<http::RouteMatch>(&match);
    ASSERT(found);
    context.route = found->route;
    context.parameters = std::move(found->parameters);
    if (!caller.empty()) {
        auto colon = caller.find(':');
        context.principal =
            std::make_shared<const Principal>(Principal{.kind = PrincipalKind::user,
                                                        .tenant = model->app,
                                                        .subject = caller.substr(0, colon),
                                                        .role = caller.substr(colon + 1),
                                                        .expires = clock.now() + token_lifetime});
    }
    http::SpooledBody spooled_body("/nonexistent");
    if (context.route->execution == http::Execution::spooled) {
        ASSERT(spooled_body.append(request.body));
        context.spooled_body = &spooled_body;
    }
    return run_handler(request, context);
}

http::Response ApiTestClient::run_handler(const http::Request& request, http::RequestContext& context) {
    postgres::CompletionQueue queue;
    if (context.route->execution == http::Execution::single_query) context.attachments.set(&queue);
    auto response = context.route->handler(request, context);
    context.attachments.set<postgres::CompletionQueue>(nullptr);
    if (auto* pending = std::get_if<http::PendingResponse>(&response)) {
        bool ready = false;
        pending->on_ready([&](bool) { ready = true; });
        while (!ready) {
            pollfd watched{queue.descriptor(), POLLIN, 0};
            poll(&watched, 1, 100);
            queue.advance();
            queue.expire();
        }
        ++async_responses;
        auto finished = pending->complete();
        response = std::move(finished);
    }
    if (!std::holds_alternative<http::NeedsBlockingThread>(response)) return response;
    ++blocking_calls;
    return context.route->handler(request, context);
}

ApiResponse ApiTestClient::send(std::string_view method, const std::string& target, const std::string& caller,
                                std::string body, http::Headers headers) {
    auto response = call(method, target, caller, std::move(body), std::move(headers));
    auto& full = std::get<http::FullResponse>(response);
    ApiResponse result{.status = full.status, .headers = full.headers, .body = full.body, .type = {}};
    if (full.headers.value("Content-Type") == "application/problem+json") {
        auto type = result.text("type");
        result.type = type.substr(type.rfind('/') + 1);
    }
    return result;
}

http::StreamingResponse ApiTestClient::open(const std::string& target, const std::string& caller,
                                            http::Headers headers) {
    auto response = call("GET", target, caller, {}, std::move(headers));
    return std::move(std::get<http::StreamingResponse>(response));
}

}  // namespace integreat::collections::testing
