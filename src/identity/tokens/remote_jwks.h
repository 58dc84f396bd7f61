// SPDX-License-Identifier: Apache-2.0
// The keys at one URL, kept fresh: fetched before the first use, refreshed ahead of the expiry that
// Cache-Control gives, never fetched per request. A failed fetch leaves the last good keys in force till they
// are stale beyond `stale_max`. An unknown key id causes at most one fetch per `unknown_key_interval`,
// whoever asks and however often.
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

struct KeySetSettings {
    std::string url;
    std::chrono::seconds lifetime_min{60};  // Whatever Cache-Control says; so the publisher cannot make us
    std::chrono::seconds lifetime_max{24 * 3600};  // poll it, nor keep a key for weeks.
    std::chrono::seconds lifetime_default{3600};
    std::chrono::seconds stale_max{24 *
                                   3600};  // How long after their expiry keys are used if no fetch succeeds.
    std::chrono::seconds unknown_key_interval{30};
    std::chrono::milliseconds fetch_timeout{5'000};
    int waiting_max = 4;  // Callers that wait for one fetch; more are told to come back.
};

// For /readyz and `integreat doctor`.
struct KeySetStatus {
    bool usable = false;
    std::vector<std::string> key_ids;
    std::vector<std::string> unusable;        // Entries of the last good answer that were left out, and why.
    std::optional<std::chrono::seconds> age;  // Since the last good fetch.
    std::uint64_t fetches = 0;
    std::uint64_t failures = 0;
    std::string last_error;  // Empty after a good fetch.
};

class KeySet {
public:
    KeySet(KeySetSettings settings, http::Outbound& outbound, const Clock& clock);

    // The keys in force; null before the first good fetch and when they are too stale.
    std::shared_ptr<const SigningKeys> current() const;

    // Changes whenever the keys do; 0 while there are none. What was verified under another generation may
    // not be trusted any more.
    std::uint64_t generation() const;

    // Fetches if it is time to. Call it each second or so from the background; Repeating does.
    // True if it fetched.
    bool refresh_due();

    // The keys are missing, or lack the key a token names: fetch again?
    enum class Lookup {
        fetched,    // Look again: a fetch has ended, by us or by another thread.
        refrain,    // The last fetch was a moment ago; another would not help.
        must_wait,  // It would take a fetch, and `may_wait` is false.
        crowded,    // Enough callers wait for a fetch already, or the deadline came.
    };
    Lookup look_again(bool may_wait, Monotonic deadline);

    KeySetStatus status() const;
    const KeySetSettings& settings() const { return settings_; }

private:
    struct State {
        std::shared_ptr<const SigningKeys> keys;
        Monotonic fetched;  // The last good fetch.
        Monotonic refresh_at = Monotonic::min();
        std::optional<Monotonic> attempted;  // The last fetch, good or not.
        bool fetching = false;
        int waiting = 0;
        std::uint64_t fetches = 0;
        std::uint64_t failures = 0;
        int failures_in_a_row = 0;
        std::string last_error;
    };

    void fetch(std::chrono::milliseconds timeout);
    void install(State& state, SigningKeys keys, std::chrono::seconds lifetime, Monotonic now);
    void fail(State& state, const Error& error, Monotonic now);
    Lookup wait_for_fetch(Guarded<State>::Access& state, std::chrono::milliseconds patience);

    KeySetSettings settings_;
    http::Outbound& outbound_;
    const Clock& clock_;
    mutable Guarded<State> state_;
    std::condition_variable fetch_ended_;
    std::atomic<std::uint64_t> generation_{0};
    std::atomic<Monotonic> usable_until_{Monotonic::min()};
};

}  // namespace integreat::identity
