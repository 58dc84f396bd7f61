// SPDX-License-Identifier: Apache-2.0
// How API keys are stored in the platform's database. What a key is and whether it is good is identity/'s
// business; only a hash of it ever comes here. Each change gets a number higher than all before it, so a
// cache asks for what is new since the last one it has seen.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "postgres/driver/pool.h"

namespace integreat::identity {

struct ApiKeyRow {
    std::string id;
    TenantId tenant;
    std::string prefix;  // The public part that finds the key.
    std::string hash;    // Bytes.
    std::string name;
    std::vector<std::string> scopes;  // Without spaces.
    Time created;
    std::string created_by;
    std::optional<Time> expires;
    std::optional<Time> revoked;
    std::optional<Time> last_used;
    std::int64_t change = 0;  // Given by the database.
};

// The row as stored, with its change number. Fault::conflict if the id or prefix exists.
Result<ApiKeyRow> insert_api_key(postgres::Pool& platform, const ApiKeyRow& key, Monotonic deadline);
// As a part of the caller's transaction. No other key changes until that ends: let it be short.
Result<ApiKeyRow> insert_api_key(postgres::Transaction& transaction, const ApiKeyRow& key);

// Newest first; of all tenants if none is given.
Result<std::vector<ApiKeyRow>> list_api_keys(postgres::Pool& platform, const std::optional<TenantId>& tenant,
                                             Monotonic deadline);
Result<std::vector<ApiKeyRow>> list_api_keys(postgres::Transaction& transaction,
                                             const std::optional<TenantId>& tenant);

// Fault::not_found if there is no such key of that tenant; one revoked before stays as it was.
Result<ApiKeyRow> revoke_api_key(postgres::Pool& platform, const TenantId& tenant, const std::string& id,
                                 Time at, Monotonic deadline);

Result<std::optional<ApiKeyRow>> find_api_key(postgres::Pool& platform, const std::string& prefix,
                                              Monotonic deadline);

// In the order of their changes, at most `count_max`: ask again from the last one's number until none come.
Result<std::vector<ApiKeyRow>> api_keys_changed_since(postgres::Pool& platform, std::int64_t change,
                                                      Monotonic deadline, int count_max = 1'000);

// Notes a use; does not count as a change.
Result<> touch_api_key(postgres::Pool& platform, const std::string& id, Time used, Monotonic deadline);

}  // namespace integreat::identity
