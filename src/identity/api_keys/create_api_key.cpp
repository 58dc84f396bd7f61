// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "crypto/ids.h"
#include "identity/api_keys/api_key_format.h"
#include "identity/api_keys/api_keys.h"

namespace integreat::identity {

namespace {

constexpr std::size_t name_bytes_max = 100;
constexpr std::size_t scopes_max = 20;
constexpr std::size_t scope_bytes_max = 64;
constexpr std::int64_t keys_per_tenant_max = 100;

bool is_scope(std::string_view scope) {
    auto fits = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
               std::string_view("_.:-*").find(letter) != std::string_view::npos;
    };
    return !scope.empty() && scope.size() <= scope_bytes_max && std::ranges::all_of(scope, fits);
}

Result<> check(const NewApiKey& wanted, Time now) {
    auto control = [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; };
    if (wanted.name.empty() || wanted.name.size() > name_bytes_max ||
        std::ranges::any_of(wanted.name, control)) {
        return Error{Fault::invalid, "name must have 1 to 100 bytes and no control characters", ""};
    }
    if (wanted.scopes.size() > scopes_max) return Error{Fault::invalid, "a key has at most 20 scopes", ""};
    for (const auto& scope : wanted.scopes) {
        if (is_scope(scope)) continue;
        return Error{Fault::invalid,
                     "\"" + scope.substr(0, scope_bytes_max) +
                         "\" is not a scope: 1 to 64 of a-z, 0-9, _ . : - *, such as email:send",
                     ""};
    }
    if (wanted.expires && *wanted.expires <= now) {
        return Error{Fault::invalid,
                     "expires must lie in the future, not at " + format_rfc3339(*wanted.expires), ""};
    }
    return {};
}

}  // namespace

Result<IssuedApiKey> create_api_key(postgres::Transaction& transaction, const NewApiKey& wanted,
                                    const Clock& clock, Random& random) {
    auto now = clock.now();
    TRY(check(wanted, now));
    auto existing = TRY(identity::list_api_keys(transaction, wanted.tenant));
    auto in_force = std::ranges::count_if(existing, [&](const identity::ApiKeyRow& row) {
        return !row.revoked && (!row.expires || *row.expires > now);
    });
    if (in_force >= keys_per_tenant_max) {
        return Error{Fault::exhausted,
                     wanted.tenant.text + " has 100 API keys in force; revoke one that is not used any more",
                     ""};
    }
    auto text = make_key_text(random);
    auto row = TRY(identity::insert_api_key(transaction, {.id = "key_" + crypto::make_ulid(now, random),
                                                          .tenant = wanted.tenant,
                                                          .prefix = text.prefix,
                                                          .hash = hash_of_key_text(text.whole.reveal()),
                                                          .name = wanted.name,
                                                          .scopes = wanted.scopes,
                                                          .created = now,
                                                          .created_by = wanted.created_by,
                                                          .expires = wanted.expires}));
    return IssuedApiKey{std::move(row), std::move(text.whole)};
}

Result<IssuedApiKey> create_api_key(postgres::Pool& platform, const NewApiKey& wanted, const Clock& clock,
                                    Random& random, Monotonic deadline) {
    auto transaction = TRY(platform.begin(platform.tenant(), deadline));
    auto issued = TRY(create_api_key(transaction, wanted, clock, random));
    TRY(transaction.commit());
    return issued;
}

}  // namespace integreat::identity
