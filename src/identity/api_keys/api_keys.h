// SPDX-License-Identifier: Apache-2.0
// API keys, for servers. All keys are cached in memory and synchronized with the database by their change
// numbers, so a lookup costs no query. The cache is valid for `max_age` only, so a revoked key is refused
// within a second in every process; if the database does not respond, every key is. A key that is not cached
// may have just been created, by this process or another: it is refused after a poll that began after its
// request, and such polls are rate limited. While no key is in use nothing is polled (a database that scales
// to zero may sleep), and the next use blocks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "base/random.h"
#include "identity/api_keys/api_key_repository.h"
#include "identity/tokens/auth_result.h"

namespace integreat::identity {

struct ApiKeySettings {
    std::chrono::milliseconds poll_interval{400};
    std::chrono::milliseconds max_age{900};
    std::chrono::milliseconds poll_timeout{5'000};  // A sleeping database needs seconds to wake.
    std::chrono::milliseconds retry_pause{250};     // Pause after a failed poll; until then callers get 503.
    std::chrono::milliseconds unknown_key_interval{100};  // Average time between two polls for unknown keys.
    int unknown_key_burst = 10;                           // Burst of such polls; beyond it the cache decides.
    std::chrono::seconds idle_after{90};      // Time without use of a valid key after which polling stops.
    std::chrono::seconds touch_interval{60};  // Minimum time between two writes of last_used_at per key.
    std::size_t max_keys = 100'000;  // Cached keys; beyond it revoked keys are evicted and become "unknown".
};

class ApiKeys {
public:
    ApiKeys(postgres::Pool& platform, const Clock& clock, const ApiKeySettings& settings = {});
    ~ApiKeys();

    // Authenticates by an API key. Thread-safe.
    AuthResult identify(std::string_view key, bool may_block, Monotonic deadline);

    // Polls if a poll is due and records uses; blocks on the database. A PeriodicTask calls it about every
    // 100 ms. Returns true if it polled.
    bool poll_due();

private:
    struct CachedKey;
    struct State;
    enum class Freshness { fresh, would_block, unavailable };

    Freshness find_current(std::string_view prefix, bool may_block, Monotonic deadline,
                           std::shared_ptr<CachedKey>& known);
    // Makes the cache up to date within `max_age`, or since poll number `after_poll` if given.
    Freshness refresh(std::optional<std::uint64_t> after_poll, bool may_block, Monotonic deadline);
    AuthFailure unavailable();
    bool poll(Monotonic deadline);
    Result<> read_changes(Monotonic deadline);
    void record_uses(Monotonic deadline);
    std::shared_ptr<CachedKey> find(std::string_view prefix);

    postgres::Pool& platform_;
    const Clock& clock_;
    ApiKeySettings settings_;
    std::unique_ptr<Synchronized<State>> state_;
    std::condition_variable poll_ended_;
    std::atomic<Monotonic> validated_{Monotonic::min()};  // Start of the last good poll.
    std::atomic<std::uint64_t> polls_begun_{0};
    std::atomic<std::uint64_t> last_good_poll_{0};  // Number of the last good poll, counted by polls_begun_.
    std::atomic<Monotonic> in_use_until_{Monotonic::min()};
};

struct NewApiKey {
    TenantId tenant;
    std::string name;                 // Display name: "nightly import". 1 to 100 characters.
    std::vector<std::string> scopes;  // At most 20 words such as "email:send".
    std::optional<Time> expires;
    std::string created_by;
};

struct IssuedApiKey {
    identity::ApiKeyRow row;
    Secret key;  // Returned once, never stored.
};

// Creates an API key. Fault::invalid for an invalid name, scope or expiry, Fault::exhausted if the tenant has
// 100 active keys.
Result<IssuedApiKey> create_api_key(postgres::Pool& platform, const NewApiKey& request, const Clock& clock,
                                    Random& random, Monotonic deadline);
// Creates the key within the caller's transaction: it is active when that commits.
Result<IssuedApiKey> create_api_key(postgres::Transaction& transaction, const NewApiKey& request,
                                    const Clock& clock, Random& random);

}  // namespace integreat::identity
