// SPDX-License-Identifier: Apache-2.0
// Stores API keys in the platform's database, as hashes only. Each change gets a number higher than all
// before it, so that a cache can query the changes since the last one it has read.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "postgres/databases/migrations.h"
#include "postgres/driver/pool.h"

namespace integreat::identity {

// The migrations of the table: identity/api_keys/migrations/*.sql.
std::span<const postgres::Migration> api_keys_migrations();

struct ApiKeyRow {
    std::string id;
    TenantId tenant;
    std::string prefix;  // Public part that identifies the key.
    std::string hash;    // SHA-256 of the key, 32 bytes.
    std::string name;
    std::vector<std::string> scopes;  // Words without spaces.
    Time created;
    std::string created_by;
    std::optional<Time> expires;
    std::optional<Time> revoked;
    std::optional<Time> last_used;
    std::int64_t change = 0;  // Assigned by the database.
};

// Inserts a key and returns the stored row with its change number. Fault::conflict if the ID or prefix
// exists.
Result<ApiKeyRow> insert_api_key(postgres::Pool& platform, const ApiKeyRow& key, Monotonic deadline);
// Inserts within the caller's transaction. It must be short: no other key can change until it ends.
Result<ApiKeyRow> insert_api_key(postgres::Transaction& transaction, const ApiKeyRow& key);

// Lists keys, newest first; of all tenants if none is given.
Result<std::vector<ApiKeyRow>> list_api_keys(postgres::Pool& platform, const std::optional<TenantId>& tenant,
                                             Monotonic deadline);
Result<std::vector<ApiKeyRow>> list_api_keys(postgres::Transaction& transaction,
                                             const std::optional<TenantId>& tenant);

// Revokes a key of the tenant. Fault::not_found if there is none; an already revoked key is unchanged.
Result<ApiKeyRow> revoke_api_key(postgres::Pool& platform, const TenantId& tenant, const std::string& id,
                                 Time at, Monotonic deadline);

Result<std::optional<ApiKeyRow>> find_api_key(postgres::Pool& platform, const std::string& prefix,
                                              Monotonic deadline);

// Returns at most `max_count` keys with a higher change number than `change`, in that order. Call it again
// with the last number until it returns none.
Result<std::vector<ApiKeyRow>> api_keys_changed_since(postgres::Pool& platform, std::int64_t change,
                                                      Monotonic deadline, int max_count = 1'000);

// Records the time of a use; does not count as a change.
Result<> record_api_key_use(postgres::Pool& platform, const std::string& id, Time used, Monotonic deadline);

}  // namespace integreat::identity
