// SPDX-License-Identifier: Apache-2.0
// Change feed of one app. A subscriber to a collection receives each change in commit order, provided that it
// may read the record at the time of delivery.
//
// While there are subscribers, one thread waits for NOTIFY integreat_changes, reads new changes, and runs one
// query per group of subscribers with the same visibility. Notifications only reduce latency: the thread also
// polls every few seconds, and every second where it cannot LISTEN. Since notifications slow down writers,
// the database sends them only while a feed has requested them. A slow subscriber is skipped while its queue
// is full and catches up later. The thread holds at most one connection of the pool, and none while it waits.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "services/collections/changes/feed_queries.h"

namespace integreat::collections {

struct ChangeFeedLimits {
    std::size_t subscribers_max = 10'000;
    std::size_t subscribers_per_caller_max = 20;
    std::size_t queue_bytes_max = 256 * 1024;  // Per subscriber.
    std::chrono::milliseconds poll_interval{1'000};
    std::chrono::milliseconds poll_interval_when_notified{5'000};  // While LISTEN is connected.
};

struct ChangeFeedSettings {
    TenantId app;
    std::string process;                    // UUID of this feed.
    std::function<postgres::Pool*()> pool;  // Returns null while there is no database.
    std::function<Secret()> listen_url;     // URL of a connection that can LISTEN; empty without.
    ChangeFeedLimits limits;
};

class ChangeFeed {
public:
    ChangeFeed(ChangeFeedSettings settings, const Clock& clock);
    ~ChangeFeed();
    ChangeFeed(const ChangeFeed&) = delete;

    enum class SubscribeError { too_many_subscribers, too_many_for_caller };
    // Returns the event stream of `subscriber`, which receives changes until the stream is destroyed.
    std::variant<std::unique_ptr<http::BodyStream>, SubscribeError> subscribe(
        const std::shared_ptr<Subscriber>& subscriber);

    // Sets the fingerprint of the current model. Streams of another model end, so that their clients
    // reconnect.
    void set_fingerprint(const std::string& fingerprint);

    std::size_t subscriber_count() const;

    struct SubscriberRegistry;  // State shared with the streams, which may outlive the feed.

private:
    void run();
    bool update_subscribers();
    void remove_expired(const std::string& fingerprint);
    void poll(std::set<std::string> collections);
    Result<> poll_collections(const std::set<std::string>& collections);
    Result<> enable_notifications(postgres::Pool& pool);
    void disable_notifications();
    Result<> publish_collection(const std::string& collection, const Watermark& watermark);
    Result<> publish_from(const ChangeOffset& offset,
                          std::span<const std::shared_ptr<Subscriber>> subscribers,
                          const Watermark& watermark);
    Result<> publish_group(std::span<const std::shared_ptr<Subscriber>> group,
                           std::span<const ChangeEvent> changes, const ChangeOffset& next);
    std::set<std::string> subscribed_collections() const;
    std::chrono::milliseconds wait_time() const;
    Monotonic query_deadline() const;

    ChangeFeedSettings settings_;
    const Clock& clock_;
    std::shared_ptr<SubscriberRegistry> registry_;

    // Used by the feed thread only.
    std::vector<std::shared_ptr<Subscriber>> subscribers_;
    std::set<std::string> pending_collections_;  // Collections with changes not yet published.
    int blocked_polls_ = 0;                      // Consecutive polls with changes behind an open transaction.
    std::optional<Monotonic> notifications_until_;  // End of the notification lease.
    bool notifications_just_enabled_ = false;
    std::uint64_t silent_before_xid_ = 0;  // Transactions before this one may not notify.
    int consecutive_failures_ = 0;
    std::thread thread_;
};

}  // namespace integreat::collections
