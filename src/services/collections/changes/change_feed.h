// SPDX-License-Identifier: Apache-2.0
// The change feed of one app: whoever follows a collection is told of each change, in the order of commits,
// as far as they may read the record at that moment.
//
// One thread, while anybody listens, waits for NOTIFY integreat_changes, reads what is new, and asks once per
// group of listeners that may read the same. Notices only save time: it looks by itself every few seconds,
// and each second where it cannot LISTEN. Since notices cost those who write, the database makes them only
// while a feed says that it hears them. A listener that is slow to take what it is told is left behind and
// caught up with later; the thread holds one connection of the pool at most, and none while it waits.
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

struct FeedLimits {
    std::size_t listeners_max = 10'000;
    std::size_t listeners_of_caller_max = 20;
    std::size_t waiting_bytes_max = 256 * 1024;  // Of one listener.
    std::chrono::milliseconds look_each{1'000};
    std::chrono::milliseconds look_each_when_told{5'000};  // If notices are heard.
};

struct FeedSettings {
    TenantId app;
    std::string process;                    // A UUID of this feed's own.
    std::function<postgres::Pool*()> pool;  // Null while there is none.
    std::function<Secret()> listening_url;  // Of a connection that can LISTEN; empty if there is none.
    FeedLimits limits;
};

class Feed {
public:
    Feed(FeedSettings settings, const Clock& clock);
    ~Feed();
    Feed(const Feed&) = delete;

    enum class Refused { busy, too_many_of_caller };
    // Where the stream of `listener` comes from: it is told as long as that lives.
    std::variant<std::unique_ptr<http::BodySource>, Refused> follow(
        const std::shared_ptr<Listener>& listener);

    // The model in force. Those who follow another end, and come back to what is there then.
    void serve(const std::string& fingerprint);

    std::size_t listeners() const;

    struct Hall;  // What sources share with the feed, and may outlive it.

private:
    void work();
    bool adopt();
    void retire(const std::string& fingerprint);
    void look(std::set<std::string> collections);
    Result<> look_at(const std::set<std::string>& collections);
    Result<> ask_for_notices(postgres::Pool& pool);
    void forgo_notices();
    Result<> tell_collection(const std::string& collection, const FeedHorizon& horizon);
    Result<> tell_from(const FeedPosition& place, std::span<const std::shared_ptr<Listener>> there,
                       const FeedHorizon& horizon);
    Result<> tell_group(std::span<const std::shared_ptr<Listener>> group, std::span<const FeedChange> changes,
                        const FeedPosition& next);
    std::set<std::string> followed() const;
    std::chrono::milliseconds pause() const;
    Monotonic patience() const;

    FeedSettings settings_;
    const Clock& clock_;
    std::shared_ptr<Hall> hall_;

    // Of the thread.
    std::vector<std::shared_ptr<Listener>> listeners_;
    std::set<std::string> unread_;  // Collections with changes that could not be told yet.
    int settling_ = 0;              // Looks in a row that found changes waiting for a transaction to end.
    std::optional<Monotonic> asked_until_;  // The database makes notices until then.
    bool just_asked_ = false;
    std::uint64_t unnoticed_before_ = 0;  // Transactions that may not know yet that they are to notify.
    int failures_ = 0;                    // In a row.
    std::thread thread_;
};

}  // namespace integreat::collections
