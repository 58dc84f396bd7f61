// SPDX-License-Identifier: Apache-2.0
#include "identity/api_keys/api_key_repository.h"

namespace integreat::identity {

namespace {

const std::string columns =
    "id, tenant, prefix, hash, name, array_to_string(scopes, ' '), created_at, created_by, expires_at, "
    "revoked_at, "
    "last_used_at, change";

const std::string list_sql = "SELECT " + columns +
                             " FROM integreat.api_keys WHERE tenant = $1 OR $1::text IS NULL "
                             "ORDER BY created_at DESC, id LIMIT 10000";

// Serializes changes until the commit, so that change numbers become visible in their order.
constexpr std::string_view lock_sql =
    "SELECT pg_advisory_xact_lock(hashtextextended('integreat.api_keys', 0))";
constexpr std::string_view next_change = "(SELECT coalesce(max(change), 0) + 1 FROM integreat.api_keys)";

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> all;
    while (!text.empty()) {
        auto end = std::min(text.find(' '), text.size());
        all.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return all;
}

ApiKeyRow read_row(const postgres::ResultSet& rows, std::size_t row) {
    return {.id = std::string(rows.text(row, 0)),
            .tenant = {std::string(rows.text(row, 1))},
            .prefix = std::string(rows.text(row, 2)),
            .hash = rows.bytes(row, 3),
            .name = std::string(rows.text(row, 4)),
            .scopes = split_words(rows.text(row, 5)),
            .created = *rows.time(row, 6),
            .created_by = std::string(rows.text(row, 7)),
            .expires = rows.time(row, 8),
            .revoked = rows.time(row, 9),
            .last_used = rows.time(row, 10),
            .change = rows.integer(row, 11)};
}

std::vector<ApiKeyRow> read_rows(const postgres::ResultSet& rows) {
    std::vector<ApiKeyRow> all;
    for (std::size_t row = 0; row < rows.size(); ++row)
        all.push_back(read_row(rows, row));
    return all;
}

postgres::Value to_value(const std::optional<Time>& time) {
    return time ? postgres::Value(format_rfc3339(*time)) : std::nullopt;
}

}  // namespace

Result<ApiKeyRow> insert_api_key(postgres::Transaction& transaction, const ApiKeyRow& key) {
    std::string scopes;
    for (const auto& scope : key.scopes) {
        if (scope.empty() || scope.find(' ') != std::string::npos) {
            return Error{Fault::invalid, "a scope is a word without spaces", scope};
        }
        scopes += (scopes.empty() ? "" : " ") + scope;
    }
    static const std::string sql =
        "INSERT INTO integreat.api_keys (id, tenant, prefix, hash, name, scopes, created_at, created_by, "
        "expires_at, "
        "change) VALUES ($1, $2, $3, $4, $5, string_to_array($6, ' '), $7, $8, $9, " +
        std::string(next_change) + ") RETURNING " + columns;
    TRY(transaction.execute(lock_sql));
    auto rows = TRY(transaction.execute(
        sql, {key.id, key.tenant.text, key.prefix, postgres::bytea(key.hash), key.name, scopes,
              format_rfc3339(key.created), key.created_by, to_value(key.expires)}));
    return read_row(rows, 0);
}

Result<ApiKeyRow> insert_api_key(postgres::Pool& platform, const ApiKeyRow& key, Monotonic deadline) {
    auto transaction = TRY(platform.begin(platform.tenant(), deadline));
    auto row = TRY(insert_api_key(transaction, key));
    TRY(transaction.commit());
    return row;
}

Result<std::vector<ApiKeyRow>> list_api_keys(postgres::Transaction& transaction,
                                             const std::optional<TenantId>& tenant) {
    return read_rows(
        TRY(transaction.execute(list_sql, {tenant ? postgres::Value(tenant->text) : std::nullopt})));
}

Result<std::vector<ApiKeyRow>> list_api_keys(postgres::Pool& platform, const std::optional<TenantId>& tenant,
                                             Monotonic deadline) {
    return read_rows(TRY(platform.run(platform.tenant(), deadline, list_sql,
                                      {tenant ? postgres::Value(tenant->text) : std::nullopt})));
}

Result<ApiKeyRow> revoke_api_key(postgres::Pool& platform, const TenantId& tenant, const std::string& id,
                                 Time at, Monotonic deadline) {
    static const std::string sql =
        "UPDATE integreat.api_keys SET revoked_at = $3, change = " + std::string(next_change) +
        " WHERE tenant = $1 AND id = $2 AND revoked_at IS NULL";
    static const std::string read =
        "SELECT " + columns + " FROM integreat.api_keys WHERE tenant = $1 AND id = $2";
    auto transaction = TRY(platform.begin(platform.tenant(), deadline));
    TRY(transaction.execute(lock_sql));
    TRY(transaction.execute(sql, {tenant.text, id, format_rfc3339(at)}));
    auto rows = TRY(transaction.execute(read, {tenant.text, id}));
    if (rows.empty()) return Error{Fault::not_found, "there is no API key " + id + " of " + tenant.text, ""};
    TRY(transaction.commit());
    return read_row(rows, 0);
}

Result<std::optional<ApiKeyRow>> find_api_key(postgres::Pool& platform, const std::string& prefix,
                                              Monotonic deadline) {
    static const std::string sql = "SELECT " + columns + " FROM integreat.api_keys WHERE prefix = $1";
    auto rows = TRY(platform.run(platform.tenant(), deadline, sql, {prefix}));
    if (rows.empty()) return std::optional<ApiKeyRow>();
    return std::optional<ApiKeyRow>(read_row(rows, 0));
}

Result<std::vector<ApiKeyRow>> api_keys_changed_since(postgres::Pool& platform, std::int64_t change,
                                                      Monotonic deadline, int max_count) {
    static const std::string sql =
        "SELECT " + columns + " FROM integreat.api_keys WHERE change > $1 ORDER BY change LIMIT $2";
    auto rows = TRY(
        platform.run(platform.tenant(), deadline, sql, {std::to_string(change), std::to_string(max_count)}));
    return read_rows(rows);
}

Result<> record_api_key_use(postgres::Pool& platform, const std::string& id, Time used, Monotonic deadline) {
    TRY(platform.run(platform.tenant(), deadline,
                     "UPDATE integreat.api_keys SET last_used_at = greatest(last_used_at, $2) WHERE id = $1",
                     {id, format_rfc3339(used)}));
    return {};
}

}  // namespace integreat::identity
