// SPDX-License-Identifier: Apache-2.0
#include "services/collections/testing/api_test_client.h"

#include <boost/json.hpp>
#include <poll.h>

#include "http/transport/spooled_body.h"
#include "postgres/driver/completion_queue.h"
#include "services/collections/schema/table_definitions.h"

namespace integreat::collections::testing {

namespace {

boost::json::value parsed(const std::string& body) {
    boost::system::error_code failure;
    auto value = boost::json::parse(body, failure);
    return failure ? boost::json::value() : value;
}

}  // namespace

std::string Answer::text(std::string_view member) const {
    auto value = parsed(body);
    const auto* object = value.if_object();
    const auto* found = object ? object->if_contains(member) : nullptr;
    if (!found || found->is_null()) return {};
    return found->is_string() ? std::string(found->get_string()) : boost::json::serialize(*found);
}

std::size_t Answer::items() const {
    auto value = parsed(body);
    const auto* object = value.if_object();
    const auto* found = object ? object->if_contains("items") : nullptr;
    return found && found->is_array() ? found->get_array().size() : 0;
}

std::vector<std::string> Answer::ids() const {
    std::vector<std::string> ids;
    auto value = parsed(body);
    for (const auto& item : value.at("items").as_array())
        ids.emplace_back(item.at("id").as_string());
    return ids;
}

std::string Answer::without_id() const {
    auto value = parsed(body);
    value.as_object().erase("request_id");
    return boost::json::serialize(value);
}

Calls::Calls(FeedLimits limits) : lent(std::make_unique<LentDatabase>(*model)), database(**lent) {
    begin(limits);
}

Calls::Calls(postgres::PrivateServer& server, FeedLimits limits) : database(database_for(*model, server)) {
    begin(limits);
}

void Calls::begin(const FeedLimits& limits) {
    pool = std::make_unique<postgres::Pool>(database.pool, clock);
    feed = std::make_shared<Feed>(FeedSettings{.app = model->app,
                                               .process = "00000000-0000-4000-8000-000000000001",
                                               .pool = [this] { return pool.get(); },
                                               .listening_url = [this] { return database.pool.url; },
                                               .limits = limits},
                                  clock);
    serve({});
}

void Calls::serve(const ImportLimits& imports) {
    auto desk = std::make_shared<const Desk>(Desk{.plan = compile_plan(model),
                                                  .pool = [this] { return pool.get(); },
                                                  .cursor_key = Secret("a key of thirty-two bytes length."),
                                                  .feed = feed,
                                                  .fingerprint = fingerprint_of(*model),
                                                  .imports = imports});
    auto router = http::Router::build(routes_of(desk, {}));
    ASSERT(router);
    router_ = std::make_unique<http::Router>(*std::move(router));
}

void Calls::lose_database() {
    auto settings = database.pool;
    settings.url = Secret("host=/nonexistent dbname=x user=x");
    settings.connect_timeout = std::chrono::milliseconds(50);
    pool = std::make_unique<postgres::Pool>(settings, clock);
}

http::Response Calls::answer(std::string_view method, const std::string& target, const std::string& caller,
                             std::string body, http::Headers headers) {
    http::Request request{.method = *http::method_from(method),
                          .target = "/v1/apps/school" + target,
                          .headers = std::move(headers),
                          .body = std::move(body)};
    http::Call call;
    call.id = {"req_" + std::to_string(++calls_)};
    call.tenant = model->app;
    call.may_wait = true;
    call.started = clock.now();
    call.arrived = clock.monotonic();
    auto match = router_->match(request.method, request.path());
    auto* found = std::get_if<http::Match>(&match);
    ASSERT(found);
    call.route = found->route;
    call.parameters = std::move(found->parameters);
    if (!caller.empty()) {
        auto colon = caller.find(':');
        call.principal = std::make_shared<const Principal>(Principal{.kind = PrincipalKind::user,
                                                                     .tenant = model->app,
                                                                     .subject = caller.substr(0, colon),
                                                                     .role = caller.substr(colon + 1),
                                                                     .expires = clock.now() + token_lasts});
    }
    http::Spool spool("/nonexistent");
    if (call.route->spools_body) {
        ASSERT(spool.append(request.body));
        call.spooled = &spool;
    }
    return ask(request, call);
}

http::Response Calls::ask(const http::Request& request, http::Call& call) {
    postgres::Lane lane;
    if (call.route->in_lane) call.lane = &lane;
    auto response = call.route->handler(request, call);
    call.lane = nullptr;
    if (auto* pending = std::get_if<http::Later>(&response)) {
        bool ready = false;
        pending->when_ready([&](bool) { ready = true; });
        while (!ready) {
            pollfd watched{lane.descriptor(), POLLIN, 0};
            poll(&watched, 1, 100);
            lane.advance();
            lane.expire();
        }
        ++later;
        auto finished = pending->finish();
        response = std::move(finished);
    }
    if (!std::holds_alternative<http::Defer>(response)) return response;
    ++deferred;
    return call.route->handler(request, call);
}

Answer Calls::send(std::string_view method, const std::string& target, const std::string& caller,
                   std::string body, http::Headers headers) {
    auto response = answer(method, target, caller, std::move(body), std::move(headers));
    auto& reply = std::get<http::Reply>(response);
    Answer answer{.status = reply.status, .headers = reply.headers, .body = reply.body, .type = {}};
    auto type = answer.text("type");
    if (type.starts_with("/problems/")) answer.type = type.substr(10);
    return answer;
}

http::Stream Calls::open(const std::string& target, const std::string& caller, http::Headers headers) {
    auto response = answer("GET", target, caller, {}, std::move(headers));
    return std::move(std::get<http::Stream>(response));
}

}  // namespace integreat::collections::testing
