// SPDX-License-Identifier: Apache-2.0
#include "services/collections/changes/subscriber.h"

#include <charconv>

namespace integreat::collections {

namespace {

// Never under the lock: a wake is foreign.
void wake(const http::Wake& waiting) {
    if (waiting) waiting();
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    auto end = text.data() + text.size();
    auto [stopped, failure] = std::from_chars(text.data(), end, value);
    bool whole = failure == std::errc() && stopped == end && !text.empty();
    // What Postgres takes as an xid8 and as a bigint.
    return whole && value <= INT64_MAX ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string to_string(const FeedPosition& position) {
    return std::to_string(position.xid) + "-" + std::to_string(position.id);
}

std::optional<FeedPosition> feed_position_from(std::string_view text) {
    auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    auto xid = number(text.substr(0, dash));
    auto id = number(text.substr(dash + 1));
    if (!xid || !id) return std::nullopt;
    return FeedPosition{*xid, *id};
}

void tell(Listener& listener, const Told& text, std::size_t waiting_bytes_max) {
    http::Wake waiting;
    {
        auto outbox = listener.outbox.lock();
        if (outbox->over) return;
        outbox->texts.push_back(text);
        outbox->bytes += text->size();
        outbox->full = outbox->bytes >= waiting_bytes_max;
        waiting = outbox->wake;
    }
    wake(waiting);
}

void end(Listener& listener, const Told& last_words) {
    http::Wake waiting;
    {
        auto outbox = listener.outbox.lock();
        if (outbox->over) return;
        if (last_words) outbox->texts.push_back(last_words);
        outbox->over = true;
        waiting = outbox->wake;
    }
    wake(waiting);
}

}  // namespace integreat::collections
