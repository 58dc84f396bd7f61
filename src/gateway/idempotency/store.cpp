// SPDX-License-Identifier: Apache-2.0
#include "gateway/idempotency/store.h"

namespace integreat::gateway {

namespace {

constexpr std::string_view select_sql =
    "SELECT fingerprint, state, lease_until > now(), status, headers, body FROM integreat.idempotency_keys "
    "WHERE tenant = $1 AND principal = $2 AND key = $3 AND expires_at > now()";

Result<> check(const IdempotencyKey& key) {
    if (key.key.empty() || key.key.size() > 255) {
        return Error{Fault::invalid, "Idempotency-Key has 1 to 255 characters",
                     "length " + std::to_string(key.key.size())};
    }
    bool fits = key.principal.size() <= 1'024 && !key.fingerprint.empty() && key.fingerprint.size() <= 64;
    if (!fits)
        return Error{Fault::internal, "the idempotency key of the request is incomplete",
                     "principal or fingerprint"};
    return {};
}

Result<> check(const StoredResponse& response) {
    if (response.body.size() <= stored_body_bytes_max) return {};
    return Error{Fault::exhausted, "the response is too large to be stored for its Idempotency-Key",
                 std::to_string(response.body.size()) + " bytes"};
}

// Encodes names and values, each terminated by a NUL, which neither can contain.
std::string encode_headers(const StoredResponse& response) {
    std::string text;
    for (const auto& [name, value] : response.headers)
        text.append(name).append(1, '\0').append(value).append(1, '\0');
    return text;
}

std::vector<std::pair<std::string, std::string>> decode_headers(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> headers;
    auto next_text = [&] {
        auto part = text.substr(0, text.find('\0'));
        text.remove_prefix(std::min(part.size() + 1, text.size()));
        return std::string(part);
    };
    while (!text.empty()) {
        auto name = next_text();
        headers.emplace_back(std::move(name), next_text());
    }
    return headers;
}

// Returns the claim of a request with `key` for an existing row.
Claim evaluate_row(const postgres::ResultSet& rows, const IdempotencyKey& key) {
    if (rows.bytes(0, 0) != key.fingerprint) return Mismatch{};
    if (rows.text(0, 1) == "running") {
        if (rows.boolean(0, 2)) return InProgress{};
        return Interrupted{};
    }
    return Replay{{static_cast<int>(rows.integer(0, 3)), decode_headers(rows.bytes(0, 4)), rows.bytes(0, 5)}};
}

// Runs in a transaction, because a second statement follows: it sees rows that were committed while this one
// waited for a lock.
Result<postgres::ResultSet> insert_claim(postgres::Transaction& transaction, const IdempotencyKey& key,
                                         const Lease& lease) {
    constexpr std::string_view sql =
        "INSERT INTO integreat.idempotency_keys AS old (tenant, principal, key, fingerprint, state, "
        "lease_until, "
        "expires_at) VALUES ($1, $2, $3, $4, 'running', now() + $5::interval, now() + $6::interval) "
        "ON CONFLICT (tenant, principal, key) DO UPDATE SET fingerprint = excluded.fingerprint, state = "
        "'running', "
        "claim = excluded.claim, status = NULL, headers = NULL, body = NULL, created_at = now(), "
        "lease_until = excluded.lease_until, expires_at = excluded.expires_at "
        "WHERE old.expires_at <= now() OR ($7::boolean AND old.state = 'running' AND old.lease_until <= "
        "now() "
        "AND old.fingerprint = excluded.fingerprint) RETURNING claim";
    return transaction.execute(
        sql, {key.tenant.text, key.principal, key.key, postgres::bytea(key.fingerprint),
              std::to_string(lease.duration.count()) + " milliseconds",
              std::to_string(lease.lifetime.count()) + " seconds", lease.take_over ? "true" : "false"});
}

}  // namespace

Result<Claim> claim_in_transaction(postgres::Transaction& transaction, const IdempotencyKey& key) {
    TRY(check(key));
    // A separate statement reads the row: its snapshot is taken after the lock was acquired.
    auto locked = TRY(
        transaction.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(jsonb_build_array($1::text, "
                            "$2::text, $3::text)::text, 17))",
                            {key.tenant.text, key.principal, key.key}));
    if (!locked.boolean(0, 0)) return Claim(InProgress{});
    auto rows = TRY(transaction.execute(select_sql, {key.tenant.text, key.principal, key.key}));
    if (rows.empty()) return Claim(Claimed{});
    return evaluate_row(rows, key);
}

Result<> store_in_transaction(postgres::Transaction& transaction, const IdempotencyKey& key,
                              const StoredResponse& response, std::chrono::seconds lifetime) {
    TRY(check(response));
    auto stored = TRY(transaction.execute(
        "INSERT INTO integreat.idempotency_keys AS old (tenant, principal, key, fingerprint, state, status, "
        "headers, "
        "body, expires_at) VALUES ($1, $2, $3, $4, 'done', $5, $6, $7, now() + $8::interval) "
        "ON CONFLICT (tenant, principal, key) DO UPDATE SET fingerprint = excluded.fingerprint, state = "
        "'done', "
        "claim = excluded.claim, status = excluded.status, headers = excluded.headers, body = excluded.body, "
        "created_at = now(), lease_until = NULL, expires_at = excluded.expires_at WHERE old.expires_at <= "
        "now()",
        {key.tenant.text, key.principal, key.key, postgres::bytea(key.fingerprint),
         std::to_string(response.status), postgres::bytea(encode_headers(response)),
         postgres::bytea(response.body), std::to_string(lifetime.count()) + " seconds"}));
    if (stored.affected() == 1) return {};
    return Error{Fault::conflict, "a concurrent request with this Idempotency-Key was completed",
                 "the row appeared while its lock was held"};
}

Result<Claim> claim(postgres::Pool& pool, const IdempotencyKey& key, const Lease& lease, Monotonic deadline) {
    TRY(check(key));
    // Between the two statements, the row can only disappear, by release or purge: the key is then free.
    for (int attempt = 0; attempt < 3; ++attempt) {
        auto transaction = TRY(pool.begin(pool.tenant(), deadline));
        auto inserted = TRY(insert_claim(transaction, key, lease));
        if (!inserted.empty()) {
            TRY(transaction.commit());
            return Claim(Claimed{std::string(inserted.text(0, 0))});
        }
        auto rows = TRY(transaction.execute(select_sql, {key.tenant.text, key.principal, key.key}));
        if (!rows.empty()) return evaluate_row(rows, key);
    }
    return Claim(InProgress{});
}

Result<> complete(postgres::Pool& pool, const IdempotencyKey& key, const Claimed& claimed,
                  const StoredResponse& response, Monotonic deadline) {
    TRY(check(response));
    auto updated = TRY(pool.run(
        pool.tenant(), deadline,
        "UPDATE integreat.idempotency_keys SET state = 'done', status = $5, headers = $6, body = $7, "
        "lease_until = NULL WHERE tenant = $1 AND principal = $2 AND key = $3 AND claim = $4 AND state = "
        "'running'",
        {key.tenant.text, key.principal, key.key, claimed.claim, std::to_string(response.status),
         postgres::bytea(encode_headers(response)), postgres::bytea(response.body)}));
    if (updated.affected() == 1) return {};
    return Error{Fault::conflict, "the lease of this request expired and another request took over",
                 "the claim is no longer valid"};
}

Result<> release(postgres::Pool& pool, const IdempotencyKey& key, const Claimed& claimed,
                 Monotonic deadline) {
    TRY(pool.run(pool.tenant(), deadline,
                 "DELETE FROM integreat.idempotency_keys "
                 "WHERE tenant = $1 AND principal = $2 AND key = $3 AND claim = $4 AND state = 'running'",
                 {key.tenant.text, key.principal, key.key, claimed.claim}));
    return {};
}

Result<std::uint64_t> purge_idempotency_keys(postgres::Pool& pool, Monotonic deadline, int count_max) {
    auto deleted =
        TRY(pool.run(pool.tenant(), deadline,
                     "DELETE FROM integreat.idempotency_keys WHERE ctid = ANY (ARRAY("
                     "SELECT ctid FROM integreat.idempotency_keys WHERE expires_at <= now() LIMIT $1 "
                     "FOR UPDATE SKIP LOCKED))",
                     {std::to_string(count_max)}));
    return deleted.affected();
}

}  // namespace integreat::gateway
