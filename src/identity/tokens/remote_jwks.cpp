// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/remote_jwks.h"

#include <algorithm>

namespace integreat::identity {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t response_bytes_max = 256 * 1024;
constexpr seconds retry_max{60};

// 1, 2, 4, ... 60 seconds after the first, second, third failure in a row.
seconds retry_after(int failures) {
    return std::min(seconds(1 << std::min(failures - 1, 6)), retry_max);
}

struct Answer {
    SigningKeys keys;
    std::optional<seconds> lifetime;
};

Result<Answer> fetch_keys(http::Outbound& outbound, const std::string& url, milliseconds timeout) {
    auto reply = TRY(outbound.fetch({.url = url,
                                     .headers = {{"Accept", "application/json"}},
                                     .timeout = timeout,
                                     .response_bytes_max = response_bytes_max}));
    if (reply.status != 200) {
        return Error{Fault::unavailable, "the key set cannot be fetched",
                     "the answer has status " + std::to_string(reply.status)};
    }
    auto keys = TRY(parse_signing_keys(reply.body));
    return Answer{std::move(keys), lifetime_of(reply.headers)};
}

}  // namespace

KeySet::KeySet(KeySetSettings settings, http::Outbound& outbound, const Clock& clock)
    : settings_(std::move(settings)), outbound_(outbound), clock_(clock) {}

std::shared_ptr<const SigningKeys> KeySet::current() const {
    if (generation() == 0) return nullptr;
    return state_.lock()->keys;
}

std::uint64_t KeySet::generation() const {
    if (clock_.monotonic() >= usable_until_.load(std::memory_order_relaxed)) return 0;
    return generation_.load(std::memory_order_acquire);
}

bool KeySet::refresh_due() {
    {
        auto state = state_.lock();
        if (state->fetching || clock_.monotonic() < state->refresh_at) return false;
        state->fetching = true;
    }
    fetch(settings_.fetch_timeout);
    return true;
}

KeySet::Lookup KeySet::look_again(bool may_wait, Monotonic deadline) {
    auto now = clock_.monotonic();
    auto patience = std::chrono::floor<milliseconds>(std::min<Monotonic::duration>(
        deadline > now ? deadline - now : Monotonic::duration::zero(), settings_.fetch_timeout));
    {
        auto state = state_.lock();
        if (state->fetching) {
            if (!may_wait) return Lookup::must_wait;
            return wait_for_fetch(state, patience);
        }
        // Without any keys nobody can be let in, so the pause is as for a failing refresh, not of a stray id.
        auto pause = generation() == 0 ? retry_after(std::max(state->failures_in_a_row, 1))
                                       : settings_.unknown_key_interval;
        if (state->attempted && now - *state->attempted < pause) return Lookup::refrain;
        if (!may_wait) return Lookup::must_wait;
        if (patience == milliseconds::zero()) return Lookup::crowded;
        state->fetching = true;
    }
    fetch(patience);
    return Lookup::fetched;
}

KeySet::Lookup KeySet::wait_for_fetch(Guarded<State>::Access& state, milliseconds patience) {
    if (state->waiting >= settings_.waiting_max) return Lookup::crowded;
    ++state->waiting;
    auto fetches_before = state->fetches + state->failures;
    auto ended = [&] { return !state->fetching || state->fetches + state->failures != fetches_before; };
    bool in_time = fetch_ended_.wait_for(state.lock(), patience, ended);
    --state->waiting;
    return in_time ? Lookup::fetched : Lookup::crowded;
}

// Called by the one thread that has set `fetching`.
void KeySet::fetch(milliseconds timeout) {
    struct Ending {  // Also if an exception flies: nobody else would ever fetch again.
        KeySet& set;
        ~Ending() {
            set.state_.lock()->fetching = false;
            set.fetch_ended_.notify_all();
        }
    } ending{*this};
    auto answer = fetch_keys(outbound_, settings_.url, timeout);
    auto now = clock_.monotonic();
    auto state = state_.lock();
    state->attempted = now;
    if (answer) {
        auto lifetime = answer->lifetime.value_or(settings_.lifetime_default);
        install(*state, std::move(answer->keys), lifetime, now);
    } else {
        fail(*state, answer.error(), now);
    }
}

void KeySet::install(State& state, SigningKeys keys, seconds lifetime, Monotonic now) {
    lifetime = std::clamp(lifetime, settings_.lifetime_min, settings_.lifetime_max);
    state.fetched = now;
    state.refresh_at = now + lifetime * 3 / 4;
    state.last_error.clear();
    state.failures_in_a_row = 0;
    ++state.fetches;
    usable_until_.store(now + lifetime + settings_.stale_max, std::memory_order_relaxed);
    bool changed = !state.keys || state.keys->all != keys.all;
    state.keys = std::make_shared<const SigningKeys>(std::move(keys));
    if (changed) generation_.fetch_add(1, std::memory_order_release);
}

void KeySet::fail(State& state, const Error& error, Monotonic now) {
    ++state.failures;
    ++state.failures_in_a_row;
    state.refresh_at = now + retry_after(state.failures_in_a_row);
    state.last_error = error.message + (error.cause.empty() ? "" : ": " + error.cause);
}

KeySetStatus KeySet::status() const {
    bool usable = generation() != 0;
    auto now = clock_.monotonic();
    auto state = state_.lock();
    KeySetStatus status{.usable = usable,
                        .fetches = state->fetches,
                        .failures = state->failures,
                        .last_error = state->last_error};
    if (state->keys) {
        for (const auto& key : state->keys->all)
            status.key_ids.push_back(key.id);
        status.unusable = state->keys->unusable;
        status.age = std::chrono::floor<seconds>(now - state->fetched);
    }
    return status;
}

}  // namespace integreat::identity
