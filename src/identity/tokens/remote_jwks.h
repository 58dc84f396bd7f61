// SPDX-License-Identifier: Apache-2.0
// A key set at a URL that is kept fresh: fetched before the first use, refreshed before it expires by
// Cache-Control, never fetched per request. After a failed fetch the last good keys remain in use until they
// are stale for more than `max_stale`. Unknown key IDs cause at most one fetch per `unknown_key_interval` in
// total.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "http/transport/client.h"
#include "identity/tokens/signing_keys.h"

namespace integreat::identity {

struct RemoteJwksSettings {
    std::string url;
    std::chrono::seconds min_lifetime{
        60};  // Bounds of the lifetime by Cache-Control: the publisher can neither
    std::chrono::seconds max_lifetime{24 * 3600};  // cause constant polling nor make a key valid for weeks.
    std::chrono::seconds default_lifetime{3600};
    std::chrono::seconds max_stale{24 * 3600};  // Use of expired keys while no fetch succeeds.
    std::chrono::seconds unknown_key_interval{30};
    std::chrono::milliseconds fetch_timeout{5'000};
    int max_waiting = 4;  // Callers that wait for one fetch; more get `overloaded`.
};

// The state for /readyz and `integreat doctor`.
struct RemoteJwksStatus {
    bool usable = false;
    std::vector<std::string> key_ids;
    std::vector<std::string> unusable;        // Ignored entries of the last good response, with reasons.
    std::optional<std::chrono::seconds> age;  // Time since the last good fetch.
    std::uint64_t fetches = 0;
    std::uint64_t failures = 0;
    std::string last_error;  // Empty after a good fetch.
};

class RemoteJwks {
public:
    RemoteJwks(RemoteJwksSettings settings, http::HttpClient& client, const Clock& clock);

    // Returns the current keys; null before the first good fetch and when they are too stale.
    std::shared_ptr<const SigningKeys> current() const;

    // Returns a number that changes whenever the keys change; 0 while there are none. Tokens verified with
    // another generation are no longer valid.
    std::uint64_t generation() const;

    // Fetches if a refresh is due; a PeriodicTask calls it about every second. Returns true if it fetched.
    bool refresh_due();

    // Result of refresh_for_kid.
    enum class RefreshResult {
        refreshed,    // A fetch has ended, by this or another thread: find the key again.
        throttled,    // The last fetch was too recent.
        would_block,  // A fetch is required, and `may_block` is false.
        overloaded,   // Too many callers wait for a fetch, or the deadline has passed.
    };
    // Fetches because there are no keys, or none with the ID in a token.
    RefreshResult refresh_for_kid(bool may_block, Monotonic deadline);

    RemoteJwksStatus status() const;
    const RemoteJwksSettings& settings() const { return settings_; }

private:
    struct State {
        std::shared_ptr<const SigningKeys> keys;
        Monotonic fetched;  // Time of the last good fetch.
        Monotonic refresh_at = Monotonic::min();
        std::optional<Monotonic> attempted;  // Time of the last fetch, good or failed.
        bool fetching = false;
        int waiting = 0;
        std::uint64_t fetches = 0;
        std::uint64_t failures = 0;
        int consecutive_failures = 0;
        std::string last_error;
    };

    void fetch(std::chrono::milliseconds timeout);
    void install(State& state, SigningKeys keys, std::chrono::seconds lifetime, Monotonic now);
    void fail(State& state, const Error& error, Monotonic now);
    RefreshResult wait_for_fetch(Synchronized<State>::Access& state, std::chrono::milliseconds timeout);

    RemoteJwksSettings settings_;
    http::HttpClient& client_;
    const Clock& clock_;
    mutable Synchronized<State> state_;
    std::condition_variable fetch_ended_;
    std::atomic<std::uint64_t> generation_{0};
    std::atomic<Monotonic> usable_until_{Monotonic::min()};
};

}  // namespace integreat::identity
