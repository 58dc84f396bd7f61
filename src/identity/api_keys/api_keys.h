// SPDX-License-Identifier: Apache-2.0
// API keys, for servers. All keys are in memory and kept up with the database by their change numbers, so a
// lookup costs no query. What is in memory is believed for `fresh_max` only, so a revoked key is refused
// within a second in every process, or, if the database does not answer, every key is. A key that is not in
// memory may have just been made, here or elsewhere: it is refused after a poll that began later than its
// request, and such polls are rationed. While no key is in use nothing is polled (a database that scales to
// zero may sleep) and the next use waits.
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
    std::chrono::milliseconds fresh_max{900};
    std::chrono::milliseconds poll_timeout{5'000};  // A database that sleeps needs seconds to wake.
    std::chrono::milliseconds retry_pause{250};     // After a poll that failed; until then callers get a 503.
    std::chrono::milliseconds unknown_pause{100};   // Unknown keys cause one poll in so long, on average, ...
    int unknown_burst = 10;                         // ... and so many at once; beyond, memory decides.
    std::chrono::seconds idle_after{90};            // Without a good key's use for so long, polling stops.
    std::chrono::seconds touch_interval{60};        // last_used_at is written at most so often per key.
    std::size_t keys_max = 100'000;  // In memory; beyond it revoked keys are forgotten, and so "unknown".
};

class ApiKeys {
public:
    ApiKeys(postgres::Pool& platform, const Clock& clock, const ApiKeySettings& settings = {});
    ~ApiKeys();

    // Who has this key. Safe to call from any thread.
    Verdict identify(std::string_view key, bool may_wait, Monotonic deadline);

    // Polls if it is due and notes uses; blocks on the database. Call it every 100 ms or so from the
    // background. True if it polled.
    bool poll_due();

private:
    struct Known;
    struct State;
    enum class Freshness { fresh, must_wait, unavailable };

    Freshness look_up(std::string_view prefix, bool may_wait, Monotonic deadline,
                      std::shared_ptr<Known>& known);
    // Fresh: as `fresh_max` says or, if `asked` is given, by a poll that began after so many others had.
    Freshness freshen(std::optional<std::uint64_t> asked, bool may_wait, Monotonic deadline);
    Denial unavailable();
    bool poll(Monotonic deadline);
    Result<> read_changes(Monotonic deadline);
    void note_uses(Monotonic deadline);
    std::shared_ptr<Known> find(std::string_view prefix);

    postgres::Pool& platform_;
    const Clock& clock_;
    ApiKeySettings settings_;
    std::unique_ptr<Guarded<State>> state_;
    std::condition_variable poll_ended_;
    std::atomic<Monotonic> validated_{Monotonic::min()};  // When the last good poll began.
    std::atomic<std::uint64_t> polls_begun_{0};
    std::atomic<std::uint64_t> last_good_poll_{0};  // Its number, as counted by polls_begun_.
    std::atomic<Monotonic> in_use_until_{Monotonic::min()};
};

struct NewApiKey {
    TenantId tenant;
    std::string name;                 // For people: "nightly import". 1 to 100 characters.
    std::vector<std::string> scopes;  // Words such as "email:send"; at most 20.
    std::optional<Time> expires;
    std::string created_by;
};

struct IssuedApiKey {
    identity::ApiKeyRow row;
    Secret key;  // Shown once, stored nowhere.
};

// Fault::invalid for what cannot be a key, Fault::exhausted beyond 100 keys of a tenant in force. Listed and
// revoked with identity::list_api_keys and identity::revoke_api_key.
Result<IssuedApiKey> create_api_key(postgres::Pool& platform, const NewApiKey& wanted, const Clock& clock,
                                    Random& random, Monotonic deadline);
// As a part of the caller's transaction: the key is in force when that commits.
Result<IssuedApiKey> create_api_key(postgres::Transaction& transaction, const NewApiKey& wanted,
                                    const Clock& clock, Random& random);

}  // namespace integreat::identity
