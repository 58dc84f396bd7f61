// SPDX-License-Identifier: Apache-2.0
// What the feed asks the database: how far the changes are complete, which there are, and what a listener may
// read of the records that changed, in the listener's name.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "services/collections/changes/subscriber.h"

namespace integreat::collections {

inline constexpr std::size_t feed_behind_max = 10'000;  // Changes; who is further behind reads afresh.

struct FeedChange {
    FeedPosition position;
    std::string record;
    std::string event;  // created | updated | deleted, or the transition's name.
    bool deletes = false;
};

// Up to where all is told that will ever be.
struct FeedHorizon {
    FeedPosition position;
    bool more_to_come = false;  // Changes are there already that come after it.
    std::uint64_t end = 0;      // The first transaction that had not begun.
};
Result<FeedHorizon> read_horizon(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                                 const std::vector<std::string>& collections);

// Where a new listener begins: at `wanted`, or at the end of what is there.
struct FeedStart {
    FeedPosition position;
    bool reset = false;  // `wanted` is not known here, or too far behind.
};
Result<FeedStart> read_start(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                             const std::string& collection, const std::optional<FeedPosition>& wanted);

// The next changes after a place and below the horizon, at most `limit`.
Result<std::vector<FeedChange>> read_changes(postgres::Pool& pool, const TenantId& app, Monotonic deadline,
                                             const std::string& collection, const FeedPosition& after,
                                             const FeedHorizon& horizon, std::size_t limit);

// The events of these changes as one listener, and each of its group, may see them; empty if none.
Result<std::string> render_events(postgres::Pool& pool, const Listener& listener, Monotonic deadline,
                                  std::span<const FeedChange> changes, postgres::Refusal& refusal);

}  // namespace integreat::collections
