// SPDX-License-Identifier: Apache-2.0
#include "postgres/databases/create_database.h"

#include <array>

#include "base/text/ascii.h"
#include "postgres/driver/connection.h"
#include "postgres/driver/identifier.h"

namespace integreat::postgres {

namespace {

constexpr const char* owner_role = "integreat_owner";
constexpr std::size_t tenant_name_max = 40;

// Creating tables and schemas requires a privilege; without this, any login could create and own large
// objects.
constexpr const char* revoke_large_objects_sql =
    "REVOKE EXECUTE ON FUNCTION pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), "
    "pg_catalog.lo_from_bytea(oid, bytea), pg_catalog.lo_put(oid, bigint, bytea) FROM PUBLIC";

Result<std::unique_ptr<Connection>> connect_as_superuser(const EmbeddedPostgres& server,
                                                         const std::string& database, Monotonic until) {
    ConnectFailure failure;
    auto connection = Connection::open(server.superuser_url(database), until, failure);
    if (!connection) return failure.error;
    return connection;
}

Result<bool> exists(Connection& connection, std::string_view sql, const std::string& name, Monotonic until) {
    std::array<Value, 1> parameter{name};
    Statement statement{sql, parameter};
    return !TRY(connection.execute_pipeline({&statement, 1}, false, until)).front().empty();
}

Result<bool> database_exists(Connection& connection, const std::string& name, Monotonic until) {
    return exists(connection, "SELECT 1 FROM pg_database WHERE datname = $1", name, until);
}

Result<bool> role_exists(Connection& connection, const std::string& name, Monotonic until) {
    return exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = $1", name, until);
}

// Sets up what all databases of one server share. The role is created last: its existence marks completion.
Result<> prepare_server(const EmbeddedPostgres& server, Connection& connection, Monotonic until) {
    if (TRY(role_exists(connection, owner_role, until))) return {};
    auto first_template = TRY(connect_as_superuser(server, "template1", until));
    TRY(first_template->script(revoke_large_objects_sql, until));
    first_template.reset();
    return connection.script("BEGIN; REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC; CREATE ROLE " +
                                 std::string(owner_role) + " NOLOGIN; COMMIT",
                             until);
}

Result<> create_empty(Connection& connection, const std::string& name, const std::string& from,
                      Monotonic until) {
    TRY(connection.script("DROP DATABASE IF EXISTS " + quote_identifier(name), until));
    TRY(connection.script("CREATE DATABASE " + quote_identifier(name) + " OWNER " + owner_role +
                              " TEMPLATE " + quote_identifier(from),
                          until));
    return connection.script("REVOKE ALL ON DATABASE " + quote_identifier(name) + " FROM PUBLIC", until);
}

Result<> rename_database(Connection& connection, const std::string& from, const std::string& to,
                         Monotonic until) {
    return connection.script(
        "ALTER DATABASE " + quote_identifier(from) + " RENAME TO " + quote_identifier(to), until);
}

// Returns the name of a template database with the migrations of `kind` as of its creation, which it creates
// if missing. Newer migrations are applied to each clone.
Result<std::string> ensure_template(const EmbeddedPostgres& server, Connection& connection, DatabaseKind kind,
                                    std::span<const Migration> migrations, Monotonic until) {
    std::string name = kind == DatabaseKind::platform ? "template_platform" : "template_tenant";
    if (TRY(database_exists(connection, name, until))) return name;
    auto unfinished = name + ".unfinished";
    TRY(create_empty(connection, unfinished, "template1", until));
    TRY(migrate({.url = server.superuser_url(unfinished),
                 .kind = kind,
                 .app_role = "",
                 .object_owner = owner_role,
                 .until = until},
                migrations));
    TRY(rename_database(connection, unfinished, name, until));
    return name;
}

Result<> set_login_role(Connection& connection, const std::string& role, const Secret& password,
                        Monotonic until) {
    bool exists = TRY(role_exists(connection, role, until));
    return connection.script(
        (exists ? "ALTER ROLE " : "CREATE ROLE ") + quote_identifier(role) +
            " LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD " +
            quote_literal(password.reveal()),
        until);
}

}  // namespace

Result<std::string> database_name(const TenantId& tenant) {
    bool valid = !tenant.empty() && tenant.text.size() <= tenant_name_max;
    for (char c : tenant.text)
        valid = valid && (is_lower(c) || is_digit(c) || c == '-');
    if (!valid) {
        return Error{Fault::invalid,
                     "an application name consists of at most 40 lower-case letters, digits and dashes: " +
                         tenant.text,
                     "tenant name"};
    }
    return tenant == platform_tenant ? "platform" : "tenant_" + tenant.text;
}

std::string login_role(const std::string& database) {
    return database + "_app";
}

Result<> create_database(const EmbeddedPostgres& server, const DatabaseSpec& spec, Monotonic until) {
    auto connection = TRY(connect_as_superuser(server, "postgres", until));
    TRY(prepare_server(server, *connection, until));
    auto role = login_role(spec.name);
    TRY(set_login_role(*connection, role, spec.password, until));
    bool exists = TRY(database_exists(*connection, spec.name, until));
    auto working_name = exists ? spec.name : spec.name + ".unfinished";
    if (!exists) {
        std::string from = "template1";
        if (spec.use_template)
            from = TRY(ensure_template(server, *connection, spec.kind, spec.migrations, until));
        TRY(create_empty(*connection, working_name, from, until));
    }
    TRY(migrate({.url = server.superuser_url(working_name),
                 .kind = spec.kind,
                 .app_role = role,
                 .object_owner = owner_role,
                 .until = until},
                spec.migrations));
    TRY(connection->script(
        "GRANT CONNECT ON DATABASE " + quote_identifier(working_name) + " TO " + quote_identifier(role),
        until));
    if (!exists) TRY(rename_database(*connection, working_name, spec.name, until));
    return {};
}

}  // namespace integreat::postgres
