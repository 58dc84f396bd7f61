// SPDX-License-Identifier: Apache-2.0
#include "services/collections/changes/subscriber.h"

#include <charconv>

namespace integreat::collections {

namespace {

// Calls the waker. The queue must not be locked: a waker runs foreign code.
void wake(const http::Waker& waker) {
    if (waker) waker();
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    auto end = text.data() + text.size();
    auto [parsed_end, failure] = std::from_chars(text.data(), end, value);
    bool whole = failure == std::errc() && parsed_end == end && !text.empty();
    // The common range of Postgres xid8 and bigint.
    return whole && value <= INT64_MAX ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string to_string(const ChangeOffset& offset) {
    return std::to_string(offset.xid) + "-" + std::to_string(offset.id);
}

std::optional<ChangeOffset> parse_change_offset(std::string_view text) {
    auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    auto xid = parse_number(text.substr(0, dash));
    auto id = parse_number(text.substr(dash + 1));
    if (!xid || !id) return std::nullopt;
    return ChangeOffset{*xid, *id};
}

void publish(Subscriber& subscriber, const SharedMessage& message, std::size_t queue_bytes_max) {
    http::Waker waker;
    {
        auto queue = subscriber.queue.lock();
        if (queue->closed) return;
        queue->messages.push_back(message);
        queue->bytes += message->size();
        queue->full = queue->bytes >= queue_bytes_max;
        waker = queue->waker;
    }
    wake(waker);
}

void close(Subscriber& subscriber, const SharedMessage& last_message) {
    http::Waker waker;
    {
        auto queue = subscriber.queue.lock();
        if (queue->closed) return;
        if (last_message) queue->messages.push_back(last_message);
        queue->closed = true;
        waker = queue->waker;
    }
    wake(waker);
}

}  // namespace integreat::collections
