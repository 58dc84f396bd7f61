// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/remote_jwks.h"

#include <algorithm>

namespace integreat::identity {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t max_response_bytes = 256 * 1024;
constexpr seconds max_retry_delay{60};

// Returns 1, 2, 4, ... 60 seconds after the first, second, third consecutive failure.
seconds retry_delay(int failures) {
    return std::min(seconds(1 << std::min(failures - 1, 6)), max_retry_delay);
}

struct FetchedKeys {
    SigningKeys keys;
    std::optional<seconds> lifetime;
};

Result<FetchedKeys> fetch_keys(http::HttpClient& client, const std::string& url, milliseconds timeout) {
    auto response = TRY(client.fetch({.url = url,
                                      .headers = {{"Accept", "application/json"}},
                                      .timeout = timeout,
                                      .response_bytes_max = max_response_bytes}));
    if (response.status != 200) {
        return Error{Fault::unavailable, "the key set cannot be fetched",
                     "the response has status " + std::to_string(response.status)};
    }
    auto keys = TRY(parse_signing_keys(response.body));
    return FetchedKeys{std::move(keys), freshness_lifetime(response.headers)};
}

}  // namespace

RemoteJwks::RemoteJwks(RemoteJwksSettings settings, http::HttpClient& client, const Clock& clock)
    : settings_(std::move(settings)), client_(client), clock_(clock) {}

std::shared_ptr<const SigningKeys> RemoteJwks::current() const {
    if (generation() == 0) return nullptr;
    return state_.lock()->keys;
}

std::uint64_t RemoteJwks::generation() const {
    if (clock_.monotonic() >= usable_until_.load(std::memory_order_relaxed)) return 0;
    return generation_.load(std::memory_order_acquire);
}

bool RemoteJwks::refresh_due() {
    {
        auto state = state_.lock();
        if (state->fetching || clock_.monotonic() < state->refresh_at) return false;
        state->fetching = true;
    }
    fetch(settings_.fetch_timeout);
    return true;
}

RemoteJwks::RefreshResult RemoteJwks::refresh_for_kid(bool may_block, Monotonic deadline) {
    auto now = clock_.monotonic();
    auto timeout = std::chrono::floor<milliseconds>(std::min<Monotonic::duration>(
        deadline > now ? deadline - now : Monotonic::duration::zero(), settings_.fetch_timeout));
    {
        auto state = state_.lock();
        if (state->fetching) {
            if (!may_block) return RefreshResult::would_block;
            return wait_for_fetch(state, timeout);
        }
        // Without any keys no caller can be authenticated, so the pause is that of a failing refresh.
        auto pause = generation() == 0 ? retry_delay(std::max(state->consecutive_failures, 1))
                                       : settings_.unknown_key_interval;
        if (state->attempted && now - *state->attempted < pause) return RefreshResult::throttled;
        if (!may_block) return RefreshResult::would_block;
        if (timeout == milliseconds::zero()) return RefreshResult::overloaded;
        state->fetching = true;
    }
    fetch(timeout);
    return RefreshResult::refreshed;
}

RemoteJwks::RefreshResult RemoteJwks::wait_for_fetch(Synchronized<State>::Access& state,
                                                     milliseconds timeout) {
    if (state->waiting >= settings_.max_waiting) return RefreshResult::overloaded;
    ++state->waiting;
    auto fetches_before = state->fetches + state->failures;
    auto has_ended = [&] { return !state->fetching || state->fetches + state->failures != fetches_before; };
    bool in_time = fetch_ended_.wait_for(state.lock(), timeout, has_ended);
    --state->waiting;
    return in_time ? RefreshResult::refreshed : RefreshResult::overloaded;
}

// Fetches the keys. Called only by the thread that has set `fetching`.
void RemoteJwks::fetch(milliseconds timeout) {
    struct Ending {  // Also after an exception: otherwise `fetching` would block every later fetch.
        RemoteJwks& set;
        ~Ending() {
            set.state_.lock()->fetching = false;
            set.fetch_ended_.notify_all();
        }
    } ending{*this};
    auto fetched = fetch_keys(client_, settings_.url, timeout);
    auto now = clock_.monotonic();
    auto state = state_.lock();
    state->attempted = now;
    if (fetched) {
        auto lifetime = fetched->lifetime.value_or(settings_.default_lifetime);
        install(*state, std::move(fetched->keys), lifetime, now);
    } else {
        fail(*state, fetched.error(), now);
    }
}

void RemoteJwks::install(State& state, SigningKeys keys, seconds lifetime, Monotonic now) {
    lifetime = std::clamp(lifetime, settings_.min_lifetime, settings_.max_lifetime);
    state.fetched = now;
    state.refresh_at = now + lifetime * 3 / 4;
    state.last_error.clear();
    state.consecutive_failures = 0;
    ++state.fetches;
    usable_until_.store(now + lifetime + settings_.max_stale, std::memory_order_relaxed);
    bool changed = !state.keys || state.keys->all != keys.all;
    state.keys = std::make_shared<const SigningKeys>(std::move(keys));
    if (changed) generation_.fetch_add(1, std::memory_order_release);
}

void RemoteJwks::fail(State& state, const Error& error, Monotonic now) {
    ++state.failures;
    ++state.consecutive_failures;
    state.refresh_at = now + retry_delay(state.consecutive_failures);
    state.last_error = error.message + (error.cause.empty() ? "" : ": " + error.cause);
}

RemoteJwksStatus RemoteJwks::status() const {
    bool usable = generation() != 0;
    auto now = clock_.monotonic();
    auto state = state_.lock();
    RemoteJwksStatus status{.usable = usable,
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
