// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/changes_handler.h"

#include <algorithm>

#include "http/message/event_stream.h"
#include "services/collections/changes/change_feed.h"

namespace integreat::collections {

namespace {

// Event that asks the client to read the collection again, because changes were missed.
constexpr std::string_view event_reset = "reset";

// Returns the event ID to resume after; nullopt if the client sends none.
Result<std::optional<std::string>, http::FullResponse> parse_resume_parameter(CollectionRequest& request) {
    auto pairs = TRY(parse_query_pairs(request));
    std::optional<std::string> event_id;
    ValidationErrors errors;
    for (auto& [name, value] : pairs) {
        if (name != "after")
            errors.list.push_back({"?" + name.substr(0, 60), "is unknown: the change feed accepts after"});
        else
            event_id = std::move(value);
        if (errors.full()) break;
    }
    if (!errors.empty()) return reject_invalid(request, std::move(errors), "The query");
    // Last-Event-ID is newer than the `after` parameter of the URL: EventSource sends it when it reconnects.
    if (auto last = request.http_request.headers.get("Last-Event-ID"); last && !last->empty())
        event_id = std::string(*last);
    return event_id;
}

// Returns false if all callers with these rules read the same records.
bool depends_on_caller(const std::vector<const Rule*>& rules) {
    return std::any_of(rules.begin(), rules.end(),
                       [](const Rule* rule) { return !rule->owner.empty() || rule->through; });
}

Monotonic token_expiry(const http::RequestContext& http_context) {
    const auto* principal = http_context.principal.get();
    if (!principal || principal->kind == PrincipalKind::anonymous) return Monotonic::max();
    auto left = principal->expires - http_context.started;
    bool never = left >= std::chrono::floor<std::chrono::seconds>(Monotonic::max() - http_context.arrived);
    return never ? Monotonic::max() : http_context.arrived + left;
}

std::shared_ptr<Subscriber> make_subscriber(const CollectionRequest& request) {
    auto rules = rules_for(request.collection.collection->read, request.view.role);
    auto subscriber = std::make_shared<Subscriber>();
    subscriber->plan = request.context.plan;
    subscriber->collection = &request.collection;
    subscriber->view = &request.view;
    subscriber->role_context = {.role = request.caller.role,
                                .uid = depends_on_caller(rules) ? request.caller.uid : std::string(),
                                .request = {}};
    subscriber->caller_id =
        request.caller.uid.empty() ? "@" + request.http_request.peer.address : request.caller.uid;
    subscriber->visibility_group = request.view.role + "\n" + subscriber->role_context.uid;
    subscriber->fingerprint = request.context.fingerprint;
    subscriber->receives_deletions =
        std::any_of(rules.begin(), rules.end(), [](const Rule* rule) { return rule->unconditional(); });
    subscriber->expires_at = token_expiry(request.http_context);
    return subscriber;
}

http::FullResponse reject_subscriber(CollectionRequest& request, ChangeFeed::SubscribeError why) {
    bool busy = why == ChangeFeed::SubscribeError::too_many_subscribers;
    auto problem = http::problem_from(
        busy ? Error{Fault::unavailable,
                     "Too many clients follow the changes of this application. Retry later.", ""}
             : Error{Fault::exhausted, "You have too many open change streams. Close one first.", ""});
    problem.retry_after = std::chrono::seconds(30);
    return reject(request, std::move(problem),
                  busy ? "limit of subscribers per app" : "limit of change streams per caller");
}

}  // namespace

http::Response stream_changes(CollectionRequest& request) {
    const auto& name = request.collection.collection->name;
    if (!request.view.can_read()) {
        return reject_forbidden(request, "The role " + request.view.role + " may not read this collection.",
                                "access.read of " + name + " has no rule for the role");
    }
    auto event_id = TRY(parse_resume_parameter(request));
    auto position = event_id ? parse_change_offset(*event_id) : std::nullopt;
    auto start = read_start_offset(request.pool, request.http_context.tenant, request.http_context.deadline,
                                   name, position);
    if (!start) return reject_query_error(request, {.rows = std::move(start).error(), .server_error = {}});
    auto subscriber = make_subscriber(request);
    subscriber->offset = start->offset;
    auto id = to_string(start->offset);
    std::string first;
    if (start->reset || (event_id && !position))
        http::append_event(first, {.id = id, .type = event_reset, .data = "{}"});
    else
        first = "id: " + id + "\n\n";
    publish(*subscriber, std::make_shared<const std::string>(std::move(first)), std::string::npos);
    auto followed = request.context.feed->subscribe(subscriber);
    if (auto* refused = std::get_if<ChangeFeed::SubscribeError>(&followed))
        return reject_subscriber(request, *refused);
    return http::make_event_stream(std::move(std::get<std::unique_ptr<http::BodyStream>>(followed)));
}

}  // namespace integreat::collections
