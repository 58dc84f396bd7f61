// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "services/collections/schema/migration_plan.h"
#include "services/collections/schema/table_definitions.h"
#include "services/collections/values/field_validator.h"

namespace integreat::collections {

namespace {

// Of the role that logged in, and of those that it may become ($1).
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

Error unsafe(const Model& model, const std::string& what) {
    return {Fault::invalid,
            "the login role of the database of " + model.app.text + " " + what +
                ", which lifts the walls between its users",
            "pg_roles"};
}

}  // namespace

Result<> check_tables(postgres::Pool& pool, const Model& model, Monotonic deadline) {
    auto desired = desired_of(model);
    auto rows = TRY(pool.run(model.app, deadline, state_sql, {array_literal(desired.roles)}));
    if (rows.empty()) return unsafe(model, "is not known");
    if (rows.boolean(0, 1)) return unsafe(model, "is a superuser or may lift row-level security");
    if (rows.boolean(0, 3)) return unsafe(model, "owns something");
    if (!rows.is_null(0, 4)) return unsafe(model, "may become " + std::string(rows.text(0, 4)));
    if (!rows.is_null(0, 5))
        return unsafe(model, "may become " + std::string(rows.text(0, 5)) + ", which has rights of its own");
    bool open = !rows.is_null(0, 6);
    if (!open && !rows.boolean(0, 2) && rows.text(0, 0) == fingerprint_of(desired)) return {};
    return Error{Fault::conflict,
                 "the tables of " + model.app.text +
                     (open ? " are without row-level security (" + std::string(rows.text(0, 6)) + ")"
                           : std::string(" are not those of its manifest")) +
                     ": run integreat db apply --app " + model.app.text,
                 "fingerprint " + std::string(rows.text(0, 0))};
}

}  // namespace integreat::collections
