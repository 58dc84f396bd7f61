// SPDX-License-Identifier: Apache-2.0
// One client that follows the changes of a collection: what it may see, where it is, and what it has been
// told and not taken yet. Idle, it costs this much memory and nothing else.
//
// A change's place is (xid, id): the transaction that made it and its number in there. Transactions commit in
// another order than they begin, so nothing is told of one before all that began earlier are over; what is
// told is then complete up to a place, and that place is where a client resumes (`id:`, Last-Event-ID).
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/concurrency/synchronized.h"
#include "http/message/body_stream.h"
#include "postgres/driver/pool.h"
#include "services/collections/views/role_view.h"

namespace integreat::collections {

// All up to and with this one has been told.
struct FeedPosition {
    std::uint64_t xid = 0;
    std::uint64_t id = 0;  // 0: nothing of that transaction.

    auto operator<=>(const FeedPosition&) const = default;
};

std::string to_string(const FeedPosition& position);                    // "7341-0"
std::optional<FeedPosition> feed_position_from(std::string_view text);  // Nothing if it is no such text.

// Texts that many listeners share.
using Told = std::shared_ptr<const std::string>;

struct Outbox {
    std::deque<Told> texts;
    std::size_t bytes = 0;
    bool full = false;  // Nothing more is told until it has been emptied.
    bool over = false;  // Nothing comes after these texts.
    http::Wake wake;    // Empty until the client waits for the first time.
};

struct Listener {
    std::shared_ptr<const ModelPlan> plan;
    const CollectionPlan* collection = nullptr;
    const View* view = nullptr;
    postgres::Acting acting;
    std::string caller;       // Whom to count it for.
    std::string group;        // Those of one group may read the same records.
    std::string fingerprint;  // Of the model that `plan` is of.
    bool sees_deletions = false;
    Monotonic until = Monotonic::max();  // It is to end before.

    // Of the thread that tells.
    FeedPosition position;
    std::size_t unseen = 0;  // Changes since the client last heard where it is.

    std::atomic<bool> gone = false;
    Guarded<Outbox> outbox;
};

// Wakes who waits for it. Nothing is told after the end.
void tell(Listener& listener, const Told& text, std::size_t waiting_bytes_max);
void end(Listener& listener, const Told& last_words);

}  // namespace integreat::collections
