// SPDX-License-Identifier: Apache-2.0
// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): requests with the same key from the same
// principal of the same tenant are executed once; later ones get the same response, byte for byte. There are
// two ways:
//
//   in a transaction  claim_in_transaction → work in the same transaction → store_in_transaction → commit.
//                     A process that is killed in between leaves no trace.
//   with a lease      claim (committed) → work elsewhere → complete, or release if no request was sent. A
//                     request whose process is killed in between is reported as Interrupted and not repeated,
//                     since its outcome is unknown.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "postgres/databases/migrations.h"
#include "postgres/driver/pool.h"

namespace integreat::gateway {

// The migrations of the table: gateway/idempotency/migrations/*.sql.
std::span<const postgres::Migration> idempotency_migrations();

struct IdempotencyKey {
    TenantId tenant;
    std::string principal;  // Kind and subject; at most 1,024 bytes.
    std::string key;        // At most 255 bytes.
    std::string
        fingerprint;  // Hash of the request, 1 to 64 arbitrary bytes: a key is valid for one request only.
};

struct StoredResponse {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;  // At most stored_body_bytes_max.
};
constexpr std::size_t stored_body_bytes_max = 8 * 1024 * 1024;

// The results of a claim. The caller executes the request if it has claimed the key.
struct Claimed {
    std::string claim;  // For complete and release; empty in a transaction.
};
struct Replay {
    StoredResponse response;
};
struct Mismatch {};     // The key was used for another request: 422.
struct InProgress {};   // Another request with the key is being executed: 409.
struct Interrupted {};  // A lease expired without an outcome.
using Claim = std::variant<Claimed, Replay, Mismatch, InProgress, Interrupted>;

constexpr std::chrono::hours response_lifetime{24};

// Claims the key until the end of the transaction, which must be at READ COMMITTED, the default, and begin
// with this call.
Result<Claim> claim_in_transaction(postgres::Transaction& transaction, const IdempotencyKey& key);
Result<> store_in_transaction(postgres::Transaction& transaction, const IdempotencyKey& key,
                              const StoredResponse& response,
                              std::chrono::seconds lifetime = response_lifetime);

struct Lease {
    std::chrono::milliseconds duration{60'000};  // Longer than the work can take.
    std::chrono::seconds lifetime = response_lifetime;
    bool take_over = false;  // The upstream handles the key itself: an interrupted request may be sent again.
};
// Claims the key for the duration of the lease.
Result<Claim> claim(postgres::Pool& pool, const IdempotencyKey& key, const Lease& lease, Monotonic deadline);

// Stores the response. Fault::conflict if the lease has expired and another request has taken over.
Result<> complete(postgres::Pool& pool, const IdempotencyKey& key, const Claimed& claimed,
                  const StoredResponse& response, Monotonic deadline);
// Frees the key, because the upstream did not receive the request.
Result<> release(postgres::Pool& pool, const IdempotencyKey& key, const Claimed& claimed, Monotonic deadline);

// Deletes at most `count_max` expired rows and returns their number: to be repeated while that is
// `count_max`.
Result<std::uint64_t> purge_idempotency_keys(postgres::Pool& pool, Monotonic deadline, int count_max = 1'000);

}  // namespace integreat::gateway
