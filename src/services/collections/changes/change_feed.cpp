// SPDX-License-Identifier: Apache-2.0
#include "services/collections/changes/change_feed.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "http/message/event_stream.h"
#include "postgres/driver/notification_listener.h"
#include "services/collections/views/batch_size.h"

namespace integreat::collections {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::size_t batch_changes_max = 200;
// Changes invisible to a client after which it receives its current offset anyway.
constexpr std::size_t unsent_changes_max = 500;
constexpr auto query_timeout = 5s;
constexpr auto shutdown_query_timeout = 1s;
constexpr auto notification_lease = 60s;  // Renewed after half of it.
constexpr auto expiry_margin = 1s;        // Time for the last event to arrive before the token expires.
constexpr milliseconds blocked_poll_interval{25};
constexpr milliseconds retry_interval{100};
constexpr int backoff_doublings_max = 5;

SharedMessage make_event(std::string_view type, std::string_view id = {}) {
    std::string text;
    http::append_event(text, {.id = id, .type = type, .data = "{}"});
    return std::make_shared<const std::string>(std::move(text));
}

// Returns a message without an event, which only sets the client's Last-Event-ID.
SharedMessage make_offset_message(const ChangeOffset& offset) {
    return std::make_shared<const std::string>("id: " + to_string(offset) + "\n\n");
}

}  // namespace

struct ChangeFeed::SubscriberRegistry {
    explicit SubscriberRegistry(std::function<Secret()> url)
        : notifications(std::move(url), "integreat_changes") {}

    struct State {
        std::vector<std::shared_ptr<Subscriber>> added;
        std::map<std::string, std::size_t> count_by_caller;
        std::size_t subscribers = 0;
        std::string fingerprint;  // Empty until it is set.
        bool closing = false;
    };
    Synchronized<State> state;
    postgres::NotificationListener notifications;
};

namespace {

class SubscriberStream final : public http::BodyStream {
public:
    SubscriberStream(std::shared_ptr<ChangeFeed::SubscriberRegistry> registry,
                     std::shared_ptr<Subscriber> subscriber)
        : registry_(std::move(registry)), subscriber_(std::move(subscriber)) {}

    ~SubscriberStream() override {
        subscriber_->disconnected = true;
        auto state = registry_->state.lock();
        if (--state->subscribers == 0) registry_->notifications.interrupt();
        auto count = state->count_by_caller.find(subscriber_->caller_id);
        if (--count->second == 0) state->count_by_caller.erase(count);
    }

    http::ReadStatus read(std::string& to, const http::ReadRequest& request) override {
        auto queue = subscriber_->queue.lock();
        auto enough = to.size() + request.bytes;
        while (!queue->messages.empty() && to.size() < enough) {
            to += *queue->messages.front();
            queue->bytes -= queue->messages.front()->size();
            queue->messages.pop_front();
        }
        if (!queue->messages.empty()) return http::ReadStatus::ready;
        if (queue->closed) return http::ReadStatus::eof;
        if (!queue->waker) queue->waker = request.waker;
        if (std::exchange(queue->full, false)) registry_->notifications.interrupt();
        return http::ReadStatus::pending;
    }

private:
    std::shared_ptr<ChangeFeed::SubscriberRegistry> registry_;
    std::shared_ptr<Subscriber> subscriber_;
};

}  // namespace

ChangeFeed::ChangeFeed(ChangeFeedSettings settings, const Clock& clock)
    : settings_(std::move(settings)),
      clock_(clock),
      registry_(std::make_shared<SubscriberRegistry>(settings_.listen_url)) {}

ChangeFeed::~ChangeFeed() {
    bool running = false;
    {
        auto state = registry_->state.lock();
        state->closing = true;
        running = thread_.joinable();
    }
    registry_->notifications.interrupt();
    if (running) thread_.join();
}

std::variant<std::unique_ptr<http::BodyStream>, ChangeFeed::SubscribeError> ChangeFeed::subscribe(
    const std::shared_ptr<Subscriber>& subscriber) {
    {
        auto state = registry_->state.lock();
        if (state->subscribers >= settings_.limits.subscribers_max)
            return SubscribeError::too_many_subscribers;
        auto& count = state->count_by_caller[subscriber->caller_id];
        if (count >= settings_.limits.subscribers_per_caller_max) return SubscribeError::too_many_for_caller;
        ++count;
        ++state->subscribers;
        state->added.push_back(subscriber);
        if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    }
    registry_->notifications.interrupt();
    return std::make_unique<SubscriberStream>(registry_, subscriber);
}

void ChangeFeed::set_fingerprint(const std::string& fingerprint) {
    registry_->state.lock()->fingerprint = fingerprint;
    registry_->notifications.interrupt();
}

std::size_t ChangeFeed::subscriber_count() const {
    return registry_->state.lock()->subscribers;
}

// ---- Feed thread

void ChangeFeed::run() {
    while (update_subscribers()) {
        if (subscribers_.empty()) {
            pending_collections_.clear();
            disable_notifications();
            registry_->notifications.pause();
            continue;
        }
        auto received = registry_->notifications.wait(wait_time());
        if (!update_subscribers()) break;
        if (received.may_have_gaps)
            notifications_until_.reset();  // Possibly another server, without this feed's request.
        auto collections = subscribed_collections();
        // After an interrupt or a timeout all collections are polled, which is cheap.
        if (!received.may_have_gaps && !received.payloads.empty()) {
            std::erase_if(collections, [&](const std::string& name) {
                return !received.payloads.contains(name) && !pending_collections_.contains(name);
            });
        }
        if (!collections.empty()) poll(std::move(collections));
    }
    disable_notifications();
}

// Adds new subscribers and removes disconnected and expired ones. Returns false when the feed shuts down.
bool ChangeFeed::update_subscribers() {
    std::string fingerprint;
    {
        auto state = registry_->state.lock();
        if (state->closing) return false;
        for (auto& subscriber : state->added) {
            pending_collections_.insert(subscriber->collection->collection->name);
            subscribers_.push_back(std::move(subscriber));
        }
        state->added.clear();
        fingerprint = state->fingerprint;
    }
    remove_expired(fingerprint);
    return true;
}

void ChangeFeed::remove_expired(const std::string& fingerprint) {
    static const SharedMessage expired = make_event("expired");
    auto now = clock_.monotonic();
    std::erase_if(subscribers_, [&](const std::shared_ptr<Subscriber>& subscriber) {
        if (subscriber->disconnected) return true;
        bool token_expired = subscriber->expires_at - expiry_margin <= now;
        bool model_changed = !fingerprint.empty() && subscriber->fingerprint != fingerprint;
        if (token_expired || model_changed) close(*subscriber, token_expired ? expired : nullptr);
        return token_expired || model_changed;
    });
}

std::set<std::string> ChangeFeed::subscribed_collections() const {
    std::set<std::string> names;
    for (const auto& subscriber : subscribers_)
        names.insert(subscriber->collection->collection->name);
    return names;
}

milliseconds ChangeFeed::wait_time() const {
    const auto& limits = settings_.limits;
    if (consecutive_failures_ > 0)
        return retry_interval * (1 << std::min(consecutive_failures_, backoff_doublings_max));
    if (!pending_collections_.empty())
        return blocked_polls_ > 0
                   ? blocked_poll_interval * (1 << std::min(blocked_polls_, backoff_doublings_max))
                   : 0ms;
    auto pause =
        registry_->notifications.connected() ? limits.poll_interval_when_notified : limits.poll_interval;
    auto now = clock_.monotonic();
    auto not_after = [&](Monotonic end) {
        pause = std::clamp(std::chrono::ceil<milliseconds>(end - now), 0ms, pause);
    };
    if (notifications_until_) not_after(*notifications_until_ - notification_lease / 2);
    for (const auto& subscriber : subscribers_) {
        if (subscriber->expires_at != Monotonic::max()) not_after(subscriber->expires_at - expiry_margin);
    }
    return pause;
}

Monotonic ChangeFeed::query_deadline() const {
    return clock_.monotonic() + query_timeout;
}

// After a failure all offsets are unchanged: the next poll publishes the same changes.
void ChangeFeed::poll(std::set<std::string> collections) {
    for (const auto& name : collections)
        pending_collections_.erase(name);
    auto polled = poll_collections(collections);
    if (polled) {
        consecutive_failures_ = 0;
        return;
    }
    pending_collections_.merge(collections);
    if (consecutive_failures_++ == 0) {
        log({Level::warning,
             "change feed: reading changes failed, retrying",
             {{"app", settings_.app.text}, {"cause", polled.error().cause}}});
    }
}

Result<> ChangeFeed::poll_collections(const std::set<std::string>& collections) {
    auto* pool = settings_.pool();
    if (!pool) return Error{Fault::unavailable, "", "there is no database yet"};
    if (registry_->notifications.connected()) TRY(enable_notifications(*pool));
    std::vector<std::string> names(collections.begin(), collections.end());
    auto watermark = TRY(read_watermark(*pool, settings_.app, query_deadline(), names));
    if (std::exchange(notifications_just_enabled_, false)) silent_before_xid_ = watermark.next_xid;
    bool again = watermark.has_more || watermark.offset.xid < silent_before_xid_;
    blocked_polls_ = again ? blocked_polls_ + 1 : 0;
    if (again) pending_collections_.insert(collections.begin(), collections.end());
    for (const auto& name : names)
        TRY(publish_collection(name, watermark));
    return {};
}

// Transactions that wrote before notifications were enabled do not notify: the feed polls until they have
// ended.
Result<> ChangeFeed::enable_notifications(postgres::Pool& pool) {
    auto now = clock_.monotonic();
    if (notifications_until_ && now < *notifications_until_ - notification_lease / 2) return {};
    TRY(request_notifications(pool, settings_.process, notification_lease, query_deadline()));
    notifications_just_enabled_ =
        notifications_just_enabled_ || !notifications_until_ || *notifications_until_ <= now;
    notifications_until_ = now + notification_lease;
    return {};
}

// If this fails, the database sends unused notifications until the lease expires.
void ChangeFeed::disable_notifications() {
    if (!std::exchange(notifications_until_, std::nullopt)) return;
    auto* pool = settings_.pool();
    if (!pool) return;
    auto released =
        request_notifications(*pool, settings_.process, 0s, clock_.monotonic() + shutdown_query_timeout);
    if (released) return;
    log({Level::warning,
         "change feed: disabling notifications failed",
         {{"app", settings_.app.text}, {"cause", released.error().cause}}});
}

Result<> ChangeFeed::publish_collection(const std::string& collection, const Watermark& watermark) {
    std::map<ChangeOffset, std::vector<std::shared_ptr<Subscriber>>> by_offset;
    for (const auto& subscriber : subscribers_) {
        if (subscriber->collection->collection->name != collection) continue;
        if (subscriber->offset > watermark.offset) {
            // The database lost published changes: a replica that lagged behind was promoted.
            publish(*subscriber, make_event("reset", to_string(watermark.offset)),
                    settings_.limits.queue_bytes_max);
            subscriber->offset = watermark.offset;
        } else if (subscriber->offset < watermark.offset && !subscriber->queue.lock()->full) {
            by_offset[subscriber->offset].push_back(subscriber);
        }
    }
    for (const auto& [offset, subscribers] : by_offset)
        TRY(publish_from(offset, subscribers, watermark));
    return {};
}

Result<> ChangeFeed::publish_from(const ChangeOffset& offset,
                                  std::span<const std::shared_ptr<Subscriber>> subscribers,
                                  const Watermark& watermark) {
    const auto& plan = *subscribers.front()->collection;
    const auto& name = plan.collection->name;
    auto limit = max_batch_rows(*plan.collection, batch_changes_max);
    auto changes =
        TRY(read_changes(*settings_.pool(), settings_.app, query_deadline(), name, offset, watermark, limit));
    auto next = watermark.offset;
    if (changes.size() == limit) {
        next = changes.back().offset;
        pending_collections_.insert(name);
        blocked_polls_ = 0;
    }
    std::map<std::string, std::vector<std::shared_ptr<Subscriber>>> groups;
    for (const auto& subscriber : subscribers)
        groups[subscriber->visibility_group].push_back(subscriber);
    for (const auto& [key, group] : groups)
        TRY(publish_group(group, changes, next));
    return {};
}

Result<> ChangeFeed::publish_group(std::span<const std::shared_ptr<Subscriber>> group,
                                   std::span<const ChangeEvent> changes, const ChangeOffset& next) {
    SharedMessage message;
    if (!changes.empty()) {
        postgres::ServerError server_error;
        auto events =
            render_events(*settings_.pool(), *group.front(), query_deadline(), changes, server_error);
        if (!events && events.error().fault == Fault::internal && !server_error.sqlstate.empty()) {
            // The tables no longer match this model: the clients reconnect to the current one.
            for (const auto& subscriber : group)
                close(*subscriber, nullptr);
            log({Level::warning,
                 "change feed: tables no longer match the model, closing streams",
                 {{"app", settings_.app.text}, {"cause", events.error().cause}}});
            return {};
        }
        if (!events) return std::move(events).error();
        if (!events->empty()) message = std::make_shared<const std::string>(*std::move(events));
    }
    for (const auto& subscriber : group) {
        subscriber->offset = next;
        subscriber->unsent_changes = message ? 0 : subscriber->unsent_changes + changes.size();
        if (message) publish(*subscriber, message, settings_.limits.queue_bytes_max);
        if (subscriber->unsent_changes < unsent_changes_max) continue;
        publish(*subscriber, make_offset_message(next), settings_.limits.queue_bytes_max);
        subscriber->unsent_changes = 0;
    }
    return {};
}

}  // namespace integreat::collections
