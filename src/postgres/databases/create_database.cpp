// SPDX-License-Identifier: Apache-2.0
// Everything is made under another name first and renamed when it is complete, so that being killed in the
// middle leaves nothing half done behind.
#include "postgres/databases/registry.h"
#include "postgres/driver/connection.h"
#include "postgres/driver/identifier.h"

namespace integreat::postgres {

namespace {

constexpr const char* owner_role = "integreat_owner";
constexpr std::size_t tenant_name_max = 40;

// Beyond tables and schemas, which need a right, a login could still make large objects and own them.
constexpr const char* close_large_objects =
    "REVOKE EXECUTE ON FUNCTION pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), "
    "pg_catalog.lo_from_bytea(oid, bytea), pg_catalog.lo_put(oid, bigint, bytea) FROM PUBLIC";

Result<std::unique_ptr<Connection>> connect(const PrivateServer& server, const std::string& database,
                                            Monotonic until) {
    ConnectFailure failure;
    auto connection = Connection::open(server.superuser_url(database), until, failure);
    if (!connection) return failure.error;
    return connection;
}

Result<bool> exists(Connection& connection, std::string_view sql, const std::string& name, Monotonic until) {
    std::array<Value, 1> parameter{name};
    Statement ask{sql, parameter};
    return !TRY(connection.exchange({&ask, 1}, false, until)).front().empty();
}

Result<bool> database_exists(Connection& connection, const std::string& name, Monotonic until) {
    return exists(connection, "SELECT 1 FROM pg_database WHERE datname = $1", name, until);
}

Result<bool> role_exists(Connection& connection, const std::string& name, Monotonic until) {
    return exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = $1", name, until);
}

// What all databases of one server share; the role, made last, says that it is done.
Result<> prepare_server(const PrivateServer& server, Connection& connection, Monotonic until) {
    if (TRY(role_exists(connection, owner_role, until))) return {};
    auto first_template = TRY(connect(server, "template1", until));
    TRY(first_template->script(close_large_objects, until));
    first_template.reset();
    return connection.script("BEGIN; REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC; CREATE ROLE " +
                                 std::string(owner_role) + " NOLOGIN; COMMIT",
                             until);
}

Result<> make_empty(Connection& connection, const std::string& name, const std::string& from,
                    Monotonic until) {
    TRY(connection.script("DROP DATABASE IF EXISTS " + quote_identifier(name), until));
    TRY(connection.script("CREATE DATABASE " + quote_identifier(name) + " OWNER " + owner_role +
                              " TEMPLATE " + quote_identifier(from),
                          until));
    return connection.script("REVOKE ALL ON DATABASE " + quote_identifier(name) + " FROM PUBLIC", until);
}

Result<> rename(Connection& connection, const std::string& from, const std::string& to, Monotonic until) {
    return connection.script(
        "ALTER DATABASE " + quote_identifier(from) + " RENAME TO " + quote_identifier(to), until);
}

// A database with all migrations of `kind` as they were when it was made: a clone brings itself up to date.
Result<std::string> template_of(const PrivateServer& server, Connection& connection, DatabaseKind kind,
                                Monotonic until) {
    std::string name = kind == DatabaseKind::platform ? "template_platform" : "template_tenant";
    if (TRY(database_exists(connection, name, until))) return name;
    auto unfinished = name + ".unfinished";
    TRY(make_empty(connection, unfinished, "template1", until));
    TRY(migrate(
        {.url = server.superuser_url(unfinished), .kind = kind, .owner = owner_role, .until = until}));
    TRY(rename(connection, unfinished, name, until));
    return name;
}

Result<> set_login_role(Connection& connection, const std::string& role, const Secret& password,
                        Monotonic until) {
    bool there = TRY(role_exists(connection, role, until));
    return connection.script(
        (there ? "ALTER ROLE " : "CREATE ROLE ") + quote_identifier(role) +
            " LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD " +
            quote_literal(password.reveal()),
        until);
}

}  // namespace

Result<std::string> database_name(const TenantId& tenant) {
    bool plain = !tenant.empty() && tenant.text.size() <= tenant_name_max;
    for (char c : tenant.text)
        plain = plain && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
    if (!plain) {
        return Error{Fault::invalid,
                     "the name of an application has lower-case letters, digits and dashes, at most 40: " +
                         tenant.text,
                     "tenant name"};
    }
    return tenant == platform_tenant ? "platform" : "tenant_" + tenant.text;
}

std::string login_role(const std::string& database) {
    return database + "_app";
}

Result<> create_database(const PrivateServer& server, const NewDatabase& wanted, Monotonic until) {
    auto connection = TRY(connect(server, "postgres", until));
    TRY(prepare_server(server, *connection, until));
    auto role = login_role(wanted.name);
    TRY(set_login_role(*connection, role, wanted.password, until));
    bool there = TRY(database_exists(*connection, wanted.name, until));
    auto working_name = there ? wanted.name : wanted.name + ".unfinished";
    if (!there) {
        std::string from = "template1";
        if (wanted.keep_template) from = TRY(template_of(server, *connection, wanted.kind, until));
        TRY(make_empty(*connection, working_name, from, until));
    }
    TRY(migrate({.url = server.superuser_url(working_name),
                 .kind = wanted.kind,
                 .app_role = role,
                 .owner = owner_role,
                 .until = until}));
    TRY(connection->script(
        "GRANT CONNECT ON DATABASE " + quote_identifier(working_name) + " TO " + quote_identifier(role),
        until));
    if (!there) TRY(rename(*connection, working_name, wanted.name, until));
    return {};
}

}  // namespace integreat::postgres
