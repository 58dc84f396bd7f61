// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/changes_handler.h"

#include <algorithm>

#include "http/message/event_stream.h"
#include "http/routing/router.h"
#include "services/collections/changes/change_feed.h"

namespace integreat::collections {

namespace {

constexpr std::string_view event_reset = "reset";  // Read the collection afresh: changes were missed.

// The place to resume from as the client says it; nothing if it says none.
struct Wanted {
    std::optional<std::string> text;
    std::optional<http::Reply> trouble;
};

Wanted wanted_of(Asked& asked) {
    Wanted wanted;
    Mistakes mistakes;
    auto pairs = http::parse_query(asked.request.query());
    if (!pairs) {
        mistakes.all.push_back({"?", pairs.error().message});
    } else {
        for (const auto& [name, value] : *pairs) {
            if (name != "after")
                mistakes.all.push_back({"?" + name.substr(0, 60), "is not known here: after is"});
            else
                wanted.text = value;
            if (mistakes.full()) break;
        }
    }
    if (!mistakes.none()) wanted.trouble = refuse_mistakes(asked, std::move(mistakes), "The query");
    // What the client has seen last is later than what its URL says.
    if (auto last = asked.request.headers.get("Last-Event-ID"); last && !last->empty())
        wanted.text = std::string(*last);
    return wanted;
}

// Those whose rules ask nothing of who they are read the same, whoever they are.
bool depends_on_caller(const std::vector<const Rule*>& rules) {
    return std::any_of(rules.begin(), rules.end(),
                       [](const Rule* rule) { return !rule->owner.empty() || rule->through; });
}

Monotonic end_of_token(const http::Call& call) {
    const auto* principal = call.principal.get();
    if (!principal || principal->kind == PrincipalKind::anonymous) return Monotonic::max();
    auto left = principal->expires - call.started;
    bool never = left >= std::chrono::floor<std::chrono::seconds>(Monotonic::max() - call.arrived);
    return never ? Monotonic::max() : call.arrived + left;
}

std::shared_ptr<Listener> listener_for(const Asked& asked) {
    auto rules = rules_for(asked.collection.collection->read, asked.view.role);
    auto listener = std::make_shared<Listener>();
    listener->plan = asked.desk.plan;
    listener->collection = &asked.collection;
    listener->view = &asked.view;
    listener->acting = {.role = asked.acting.role,
                        .uid = depends_on_caller(rules) ? asked.acting.uid : std::string(),
                        .request = {}};
    listener->caller = asked.acting.uid.empty() ? "@" + asked.request.peer.address : asked.acting.uid;
    listener->group = asked.view.role + "\n" + listener->acting.uid;
    listener->fingerprint = asked.desk.fingerprint;
    listener->sees_deletions =
        std::any_of(rules.begin(), rules.end(), [](const Rule* rule) { return rule->unconditional(); });
    listener->until = end_of_token(asked.call);
    return listener;
}

http::Reply refuse_listener(Asked& asked, Feed::Refused why) {
    bool busy = why == Feed::Refused::busy;
    auto problem = http::problem_from(
        busy ? Error{Fault::unavailable, "As many follow this application's changes as can; try again later.",
                     ""}
             : Error{Fault::exhausted, "You follow as many collections as one may at once: end one first.",
                     ""});
    problem.retry_after = std::chrono::seconds(30);
    return refuse(asked, std::move(problem),
                  busy ? "the feed of an app has a limit of listeners" : "a caller has a limit of streams");
}

}  // namespace

http::Response stream_changes(Asked& asked) {
    const auto& name = asked.collection.collection->name;
    if (!asked.view.reads()) {
        return refuse_forbidden(asked, "The role " + asked.view.role + " may not read this collection.",
                                "access.read of " + name + " has no rule for the role");
    }
    auto wanted = wanted_of(asked);
    if (wanted.trouble) return *std::move(wanted.trouble);
    auto place = wanted.text ? feed_position_from(*wanted.text) : std::nullopt;
    auto start = read_start(asked.pool, asked.call.tenant, asked.call.deadline, name, place);
    if (!start) return refuse_statement(asked, {.rows = std::move(start).error(), .refusal = {}});
    auto listener = listener_for(asked);
    listener->position = start->position;
    auto id = to_string(start->position);
    std::string first;
    if (start->reset || (wanted.text && !place))
        http::append_event(first, {.id = id, .type = event_reset, .data = "{}"});
    else
        first = "id: " + id + "\n\n";
    tell(*listener, std::make_shared<const std::string>(std::move(first)), std::string::npos);
    auto followed = asked.desk.feed->follow(listener);
    if (auto* refused = std::get_if<Feed::Refused>(&followed)) return refuse_listener(asked, *refused);
    return http::event_stream(std::move(std::get<std::unique_ptr<http::BodySource>>(followed)));
}

}  // namespace integreat::collections
