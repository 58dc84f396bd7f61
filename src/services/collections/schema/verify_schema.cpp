// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/verify_schema.h"

#include "services/collections/schema/table_definitions.h"
#include "services/collections/values/field_formats.h"

namespace integreat::collections {

namespace {

// Selects the applied fingerprint and the privileges of the login role and of the roles it may set ($1).
constexpr std::string_view state_sql = R"sql(
SELECT (SELECT fingerprint FROM integreat.models ORDER BY number DESC LIMIT 1),
       login.rolsuper OR login.rolbypassrls OR login.rolcreaterole,
       login.rolinherit,
       EXISTS (SELECT FROM pg_catalog.pg_shdepend WHERE refclassid = 'pg_catalog.pg_authid'::regclass
               AND refobjid = login.oid AND deptype = 'o'),
       (SELECT string_agg(other.rolname, ', ') FROM pg_catalog.pg_auth_members
        JOIN pg_catalog.pg_roles AS other ON other.oid = roleid
        WHERE member = login.oid AND NOT other.rolname = ANY ($1::text[])),
       (SELECT string_agg(acting.rolname, ', ') FROM pg_catalog.pg_roles AS acting
        WHERE acting.rolname = ANY ($1::text[])
        AND (acting.rolsuper OR acting.rolbypassrls OR acting.rolcreaterole OR acting.rolcanlogin
             OR EXISTS (SELECT FROM pg_catalog.pg_auth_members WHERE member = acting.oid)
             OR EXISTS (SELECT FROM pg_catalog.pg_shdepend WHERE refclassid = 'pg_catalog.pg_authid'::regclass
                        AND refobjid = acting.oid AND deptype = 'o'))),
       (SELECT string_agg(relname, ', ') FROM pg_catalog.pg_class
        WHERE relnamespace = pg_catalog.to_regnamespace('data') AND relkind IN ('r', 'p', 'v', 'm', 'f')
        AND NOT relrowsecurity)
FROM pg_catalog.pg_roles AS login WHERE login.rolname = session_user
)sql";

Error unsafe_login(const Model& model, const std::string& what) {
    return {Fault::invalid,
            "the login role of the database of " + model.app.text + " " + what +
                ", which breaks the isolation of its users",
            "pg_roles"};
}

}  // namespace

Result<> verify_schema(postgres::Pool& pool, const Model& model, Monotonic deadline) {
    auto target = make_target_schema(model);
    auto rows = TRY(pool.run(model.app, deadline, state_sql, {to_array_literal(target.roles)}));
    if (rows.empty()) return unsafe_login(model, "does not exist");
    if (rows.boolean(0, 1))
        return unsafe_login(model, "is a superuser, bypasses row-level security or may create roles");
    if (rows.boolean(0, 3)) return unsafe_login(model, "owns database objects");
    if (!rows.is_null(0, 4)) return unsafe_login(model, "may become " + std::string(rows.text(0, 4)));
    if (!rows.is_null(0, 5))
        return unsafe_login(
            model, "may become " + std::string(rows.text(0, 5)) + ", which has privileges of its own");
    bool unprotected = !rows.is_null(0, 6);
    if (!unprotected && !rows.boolean(0, 2) && rows.text(0, 0) == schema_fingerprint(target)) return {};
    return Error{Fault::conflict,
                 "the tables of " + model.app.text +
                     (unprotected ? " lack row-level security (" + std::string(rows.text(0, 6)) + ")"
                                  : std::string(" do not match its manifest")) +
                     ": run integreat db apply --app " + model.app.text,
                 "fingerprint " + std::string(rows.text(0, 0))};
}

}  // namespace integreat::collections
