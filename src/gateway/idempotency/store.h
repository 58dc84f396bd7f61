// SPDX-License-Identifier: Apache-2.0
// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the same key from the same principal of the
// same tenant does the work once and is answered the same, byte for byte, as often as it comes. Two ways:
//
//   in our transaction   claim_in → do the work in the same transaction → store_in → commit. What was killed
//                        in the middle has not happened.
//   by a lease           claim (committed) → work elsewhere → settle, or release if nothing was sent. What
//                        was killed in the middle is reported as Interrupted: nobody knows, nobody repeats.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "postgres/driver/pool.h"

namespace integreat::gateway {

struct IdempotencyKey {
    TenantId tenant;
    std::string principal;    // Kind and subject; at most 1,024 bytes.
    std::string key;          // At most 255 bytes.
    std::string fingerprint;  // Of the request, any bytes, at most 64: the same key for another is a mistake.
};

struct StoredResponse {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;  // At most stored_body_bytes_max.
};
constexpr std::size_t stored_body_bytes_max = 8 * 1024 * 1024;

struct Claimed {
    std::string claim;  // For settle and release; empty in a transaction.
};
struct Replay {
    StoredResponse response;
};
struct Mismatch {};      // The key was used for another request: 422.
struct StillRunning {};  // 409.
struct Interrupted {};   // A lease ran out without an outcome.
using Claim = std::variant<Claimed, Replay, Mismatch, StillRunning, Interrupted>;

constexpr std::chrono::hours response_lifetime{24};

// The first statement of a transaction at READ COMMITTED, the default: holds the key until its end.
Result<Claim> claim_in(postgres::Transaction& transaction, const IdempotencyKey& key);
Result<> store_in(postgres::Transaction& transaction, const IdempotencyKey& key,
                  const StoredResponse& response, std::chrono::seconds lifetime = response_lifetime);

struct Lease {
    std::chrono::milliseconds duration{60'000};  // Longer than the work can take.
    std::chrono::seconds lifetime = response_lifetime;
    bool take_over = false;  // The other side knows the key itself: an interrupted request may be sent again.
};
Result<Claim> claim(postgres::Pool& pool, const IdempotencyKey& key, const Lease& lease, Monotonic deadline);

// Fault::conflict if the claim is no longer ours: the lease ran out and somebody took over.
Result<> settle(postgres::Pool& pool, const IdempotencyKey& key, const Claimed& claimed,
                const StoredResponse& response, Monotonic deadline);
// Nothing reached the other side: the key is free again.
Result<> release(postgres::Pool& pool, const IdempotencyKey& key, const Claimed& claimed, Monotonic deadline);

// Deletes what has expired, at most `count_max` rows: again while it returns that many.
Result<std::uint64_t> purge_idempotency_keys(postgres::Pool& pool, Monotonic deadline, int count_max = 1'000);

}  // namespace integreat::gateway
