// SPDX-License-Identifier: Apache-2.0
#include "services/collections/changes/change_feed.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "http/message/event_stream.h"
#include "postgres/driver/notification_listener.h"
#include "services/collections/changes/history.h"
#include "services/collections/views/batch_size.h"

namespace integreat::collections {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::size_t changes_at_once = 200;
constexpr std::size_t unseen_max = 500;  // Changes before a client hears where it is though it saw none.
constexpr auto statement_patience = 5s;
constexpr auto farewell_patience = 1s;
constexpr auto asked_for = 60s;        // At a time; renewed when half of it is over.
constexpr auto end_before_token = 1s;  // So that the last words arrive.
constexpr milliseconds settle_pause{25};
constexpr milliseconds failure_pause{100};
constexpr int doublings_max = 5;

Told event(std::string_view type, std::string_view id = {}) {
    std::string text;
    http::append_event(text, {.id = id, .type = type, .data = "{}"});
    return std::make_shared<const std::string>(std::move(text));
}

// Not an event: only what Last-Event-ID will be.
Told place(const FeedPosition& position) {
    return std::make_shared<const std::string>("id: " + to_string(position) + "\n\n");
}

}  // namespace

struct Feed::Hall {
    explicit Hall(std::function<Secret()> url) : notices(std::move(url), "integreat_changes") {}

    struct Inside {
        std::vector<std::shared_ptr<Listener>> arrived;
        std::map<std::string, std::size_t> of_caller;
        std::size_t listeners = 0;
        std::string fingerprint;  // Empty: not said yet.
        bool closing = false;
    };
    Guarded<Inside> inside;
    postgres::Notices notices;
};

namespace {

class FeedSource final : public http::BodySource {
public:
    FeedSource(std::shared_ptr<Feed::Hall> hall, std::shared_ptr<Listener> listener)
        : hall_(std::move(hall)), listener_(std::move(listener)) {}

    ~FeedSource() override {
        listener_->gone = true;
        auto inside = hall_->inside.lock();
        if (--inside->listeners == 0) hall_->notices.interrupt();
        auto counted = inside->of_caller.find(listener_->caller);
        if (--counted->second == 0) inside->of_caller.erase(counted);
    }

    http::Pace produce(std::string& to, const http::Demand& demand) override {
        auto outbox = listener_->outbox.lock();
        auto enough = to.size() + demand.bytes;
        while (!outbox->texts.empty() && to.size() < enough) {
            to += *outbox->texts.front();
            outbox->bytes -= outbox->texts.front()->size();
            outbox->texts.pop_front();
        }
        if (!outbox->texts.empty()) return http::Pace::more;
        if (outbox->over) return http::Pace::end;
        if (!outbox->wake) outbox->wake = demand.wake;
        if (std::exchange(outbox->full, false)) hall_->notices.interrupt();
        return http::Pace::idle;
    }

private:
    std::shared_ptr<Feed::Hall> hall_;
    std::shared_ptr<Listener> listener_;
};

}  // namespace

Feed::Feed(FeedSettings settings, const Clock& clock)
    : settings_(std::move(settings)), clock_(clock), hall_(std::make_shared<Hall>(settings_.listening_url)) {}

Feed::~Feed() {
    bool running = false;
    {
        auto inside = hall_->inside.lock();
        inside->closing = true;
        running = thread_.joinable();
    }
    hall_->notices.interrupt();
    if (running) thread_.join();
}

std::variant<std::unique_ptr<http::BodySource>, Feed::Refused> Feed::follow(
    const std::shared_ptr<Listener>& listener) {
    {
        auto inside = hall_->inside.lock();
        if (inside->listeners >= settings_.limits.listeners_max) return Refused::busy;
        auto& of_caller = inside->of_caller[listener->caller];
        if (of_caller >= settings_.limits.listeners_of_caller_max) return Refused::too_many_of_caller;
        ++of_caller;
        ++inside->listeners;
        inside->arrived.push_back(listener);
        if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
    }
    hall_->notices.interrupt();
    return std::make_unique<FeedSource>(hall_, listener);
}

void Feed::serve(const std::string& fingerprint) {
    hall_->inside.lock()->fingerprint = fingerprint;
    hall_->notices.interrupt();
}

std::size_t Feed::listeners() const {
    return hall_->inside.lock()->listeners;
}

// ---- The thread

void Feed::work() {
    while (adopt()) {
        if (listeners_.empty()) {
            unread_.clear();
            forgo_notices();
            hall_->notices.rest();
            continue;
        }
        auto heard = hall_->notices.wait(pause());
        if (!adopt()) break;
        if (heard.perhaps_missed) asked_until_.reset();  // It may be another server, that was not asked.
        auto collections = followed();
        // An interrupt or the time: whatever it was, it costs little to look at all.
        if (!heard.perhaps_missed && !heard.payloads.empty()) {
            std::erase_if(collections, [&](const std::string& name) {
                return !heard.payloads.contains(name) && !unread_.contains(name);
            });
        }
        if (!collections.empty()) look(std::move(collections));
    }
    forgo_notices();
}

// Takes in who came and lets go who left or has to; false at the end of the feed.
bool Feed::adopt() {
    std::string fingerprint;
    {
        auto inside = hall_->inside.lock();
        if (inside->closing) return false;
        for (auto& listener : inside->arrived) {
            unread_.insert(listener->collection->collection->name);
            listeners_.push_back(std::move(listener));
        }
        inside->arrived.clear();
        fingerprint = inside->fingerprint;
    }
    retire(fingerprint);
    return true;
}

void Feed::retire(const std::string& fingerprint) {
    static const Told expired = event("expired");
    auto now = clock_.monotonic();
    std::erase_if(listeners_, [&](const std::shared_ptr<Listener>& listener) {
        if (listener->gone) return true;
        bool outlived = listener->until - end_before_token <= now;
        bool changed = !fingerprint.empty() && listener->fingerprint != fingerprint;
        if (outlived || changed) end(*listener, outlived ? expired : nullptr);
        return outlived || changed;
    });
}

std::set<std::string> Feed::followed() const {
    std::set<std::string> names;
    for (const auto& listener : listeners_)
        names.insert(listener->collection->collection->name);
    return names;
}

milliseconds Feed::pause() const {
    const auto& limits = settings_.limits;
    if (failures_ > 0) return failure_pause * (1 << std::min(failures_, doublings_max));
    if (!unread_.empty())
        return settling_ > 0 ? settle_pause * (1 << std::min(settling_, doublings_max)) : 0ms;
    auto pause = hall_->notices.connected() ? limits.look_each_when_told : limits.look_each;
    auto now = clock_.monotonic();
    auto not_after = [&](Monotonic end) {
        pause = std::clamp(std::chrono::ceil<milliseconds>(end - now), 0ms, pause);
    };
    if (asked_until_) not_after(*asked_until_ - asked_for / 2);
    for (const auto& listener : listeners_) {
        if (listener->until != Monotonic::max()) not_after(listener->until - end_before_token);
    }
    return pause;
}

Monotonic Feed::patience() const {
    return clock_.monotonic() + statement_patience;
}

// A failure leaves everybody where they are: the next look tells them.
void Feed::look(std::set<std::string> collections) {
    for (const auto& name : collections)
        unread_.erase(name);
    auto looked = look_at(collections);
    if (looked) {
        failures_ = 0;
        return;
    }
    unread_.merge(collections);
    if (failures_++ == 0) {
        log({Level::warning,
             "the change feed cannot read the changes, and tries again",
             {{"app", settings_.app.text}, {"cause", looked.error().cause}}});
    }
}

Result<> Feed::look_at(const std::set<std::string>& collections) {
    auto* pool = settings_.pool();
    if (!pool) return Error{Fault::unavailable, "", "there is no database yet"};
    if (hall_->notices.connected()) TRY(ask_for_notices(*pool));
    std::vector<std::string> names(collections.begin(), collections.end());
    auto horizon = TRY(read_horizon(*pool, settings_.app, patience(), names));
    if (std::exchange(just_asked_, false)) unnoticed_before_ = horizon.end;
    bool again = horizon.more_to_come || horizon.position.xid < unnoticed_before_;
    settling_ = again ? settling_ + 1 : 0;
    if (again) unread_.insert(collections.begin(), collections.end());
    for (const auto& name : names)
        TRY(tell_collection(name, horizon));
    return {};
}

// Whoever began to write before does not notify: they are looked for until all of them are over.
Result<> Feed::ask_for_notices(postgres::Pool& pool) {
    auto now = clock_.monotonic();
    if (asked_until_ && now < *asked_until_ - asked_for / 2) return {};
    TRY(follow_changes(pool, settings_.process, asked_for, patience()));
    just_asked_ = just_asked_ || !asked_until_ || *asked_until_ <= now;
    asked_until_ = now + asked_for;
    return {};
}

// If it fails, notices are made in vain until what was asked for is over.
void Feed::forgo_notices() {
    if (!std::exchange(asked_until_, std::nullopt)) return;
    auto* pool = settings_.pool();
    if (!pool) return;
    auto gone = follow_changes(*pool, settings_.process, 0s, clock_.monotonic() + farewell_patience);
    if (gone) return;
    log({Level::warning,
         "the change feed cannot say that nobody listens any more",
         {{"app", settings_.app.text}, {"cause", gone.error().cause}}});
}

Result<> Feed::tell_collection(const std::string& collection, const FeedHorizon& horizon) {
    std::map<FeedPosition, std::vector<std::shared_ptr<Listener>>> by_place;
    for (const auto& listener : listeners_) {
        if (listener->collection->collection->name != collection) continue;
        if (listener->position > horizon.position) {
            // The database has lost what was told: a copy took over that was behind.
            tell(*listener, event("reset", to_string(horizon.position)), settings_.limits.waiting_bytes_max);
            listener->position = horizon.position;
        } else if (listener->position < horizon.position && !listener->outbox.lock()->full) {
            by_place[listener->position].push_back(listener);
        }
    }
    for (const auto& [place, there] : by_place)
        TRY(tell_from(place, there, horizon));
    return {};
}

Result<> Feed::tell_from(const FeedPosition& place, std::span<const std::shared_ptr<Listener>> there,
                         const FeedHorizon& horizon) {
    const auto& plan = *there.front()->collection;
    const auto& name = plan.collection->name;
    auto limit = rows_at_once(*plan.collection, changes_at_once);
    auto changes =
        TRY(read_changes(*settings_.pool(), settings_.app, patience(), name, place, horizon, limit));
    auto next = horizon.position;
    if (changes.size() == limit) {
        next = changes.back().position;
        unread_.insert(name);
        settling_ = 0;
    }
    std::map<std::string, std::vector<std::shared_ptr<Listener>>> groups;
    for (const auto& listener : there)
        groups[listener->group].push_back(listener);
    for (const auto& [key, group] : groups)
        TRY(tell_group(group, changes, next));
    return {};
}

Result<> Feed::tell_group(std::span<const std::shared_ptr<Listener>> group,
                          std::span<const FeedChange> changes, const FeedPosition& next) {
    Told told;
    if (!changes.empty()) {
        postgres::Refusal refusal;
        auto events = render_events(*settings_.pool(), *group.front(), patience(), changes, refusal);
        if (!events && events.error().fault == Fault::internal && !refusal.state.empty()) {
            // The tables are not those of this model any more: they come back to what is there now.
            for (const auto& listener : group)
                end(*listener, nullptr);
            log({Level::warning,
                 "the change feed may not read what it did, and ends for some",
                 {{"app", settings_.app.text}, {"cause", events.error().cause}}});
            return {};
        }
        if (!events) return std::move(events).error();
        if (!events->empty()) told = std::make_shared<const std::string>(*std::move(events));
    }
    for (const auto& listener : group) {
        listener->position = next;
        listener->unseen = told ? 0 : listener->unseen + changes.size();
        if (told) tell(*listener, told, settings_.limits.waiting_bytes_max);
        if (listener->unseen < unseen_max) continue;
        tell(*listener, place(next), settings_.limits.waiting_bytes_max);
        listener->unseen = 0;
    }
    return {};
}

}  // namespace integreat::collections
