// SPDX-License-Identifier: Apache-2.0
// A subscriber to a collection's change feed: its permissions, its offset, and its queue of undelivered
// events. An idle subscriber costs this much memory and nothing else.
//
// The offset of a change is (xid, id): its transaction and its number within that transaction. Transactions
// do not commit in the order in which they begin, so a change is published only after all earlier
// transactions have ended. Published changes are therefore complete up to an offset, at which a client
// resumes (`id:`, Last-Event-ID).
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

// Offset of the last published change, inclusive.
struct ChangeOffset {
    std::uint64_t xid = 0;
    std::uint64_t id = 0;  // 0: before the first change of the transaction.

    auto operator<=>(const ChangeOffset&) const = default;
};

std::string to_string(const ChangeOffset& offset);                       // Returns "7341-0".
std::optional<ChangeOffset> parse_change_offset(std::string_view text);  // Returns nothing if malformed.

// Serialized events shared by many subscribers.
using SharedMessage = std::shared_ptr<const std::string>;

struct SendQueue {
    std::deque<SharedMessage> messages;
    std::size_t bytes = 0;
    bool full = false;    // No message is added until the queue has been drained.
    bool closed = false;  // No message follows these.
    http::Waker waker;    // Empty until the client waits for the first time.
};

struct Subscriber {
    std::shared_ptr<const ModelPlan> plan;
    const CollectionPlan* collection = nullptr;
    const RoleView* view = nullptr;
    postgres::RoleContext role_context;
    std::string caller_id;         // Key of the limit per caller.
    std::string visibility_group;  // Subscribers with the same group may read the same records.
    std::string fingerprint;       // Fingerprint of the model of `plan`.
    bool receives_deletions = false;
    Monotonic expires_at = Monotonic::max();  // The stream ends before this time.

    // Used by the feed thread only.
    ChangeOffset offset;
    std::size_t unsent_changes = 0;  // Changes since the client last received an offset.

    std::atomic<bool> disconnected = false;
    Synchronized<SendQueue> queue;
};

// Queues a message and wakes the stream. Messages after close() are dropped.
void publish(Subscriber& subscriber, const SharedMessage& message, std::size_t queue_bytes_max);
// Closes the queue after `last_message`, which may be null.
void close(Subscriber& subscriber, const SharedMessage& last_message);

}  // namespace integreat::collections
