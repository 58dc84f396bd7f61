// SPDX-License-Identifier: Apache-2.0
// The trigger before insert and update of a collection, for what policies cannot say: what kind of change
// this is and whether its own rules allow it, which fields belong to it, and that references lead to what
// the caller may read. It runs with the caller's own rights; what it reads, it reads under the caller's
// policies.
//
// Statements that read tables stand apart for each role: a plan under row-level security is of use to the
// role it was made for only, and a connection serves all of them in turn.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "postgres/driver/identifier.h"
#include "services/collections/schema/constraint_violation.h"
#include "services/collections/schema/row_policies.h"
#include "services/collections/schema/table_definitions.h"
#include "services/collections/views/caller_role.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;
using postgres::quote_literal;

std::string refuse(std::string_view state, std::string_view message, std::string_view field = {}) {
    auto column = field.empty() ? "" : ", COLUMN = " + quote_literal(field);
    return fmt::format("RAISE EXCEPTION USING ERRCODE = {}, MESSAGE = {}{}, TABLE = TG_TABLE_NAME;",
                       quote_literal(state), quote_literal(message), column);
}

std::string refuse_if(const std::string& condition, std::string_view state, std::string_view message,
                      std::string_view field = {}) {
    return "IF " + condition + " THEN " + refuse(state, message, field) + " END IF;\n";
}

// Unless `condition` holds. NULL (nobody is signed in, a reference leads nowhere) does not.
std::string demand(const std::string& condition, std::string_view state, std::string_view message) {
    return condition == "true" ? "" : refuse_if("(" + condition + ") IS NOT TRUE", state, message);
}

std::string changed(std::string_view field) {
    auto column = quote_identifier(field);
    return fmt::format("NEW.{0} IS DISTINCT FROM OLD.{0}", column);
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Of all that the role could write, only `allowed` may differ.
std::string only_these_change(const std::vector<std::string>& writable,
                              const std::vector<std::string>& allowed) {
    std::string sql;
    for (const auto& field : writable) {
        if (!contains(allowed, field))
            sql += refuse_if(changed(field), state_forbidden, "this change may not touch " + field, field);
    }
    return sql;
}

// A condition over columns, asked of NEW. Generated columns are not filled in yet: they are computed here.
std::string asked_of_new(const Collection& collection, const std::string& condition) {
    std::string stored, generated;
    for (const auto& field : collection.fields) {
        auto column = quote_identifier(field.name);
        if (field.generated_sql.empty())
            stored += fmt::format("{}NEW.{} AS {}", stored.empty() ? "" : ", ", column, column);
        else
            generated += fmt::format(", ({}) AS {}", field.generated_sql, column);
    }
    return fmt::format("(SELECT {} FROM (SELECT kept.*{} FROM (SELECT {}) AS kept) AS record)", condition,
                       generated, stored);
}

std::string transition_body(const Collection& collection, const Transition& transition, std::string_view role,
                            const std::vector<std::string>& writable) {
    auto allowed = transition.accepts;
    allowed.push_back("state");
    std::string from;
    for (const auto& state : transition.from)
        from += (from.empty() ? "" : ", ") + quote_literal(state);
    auto sql = demand(condition_of(transition.allow, collection, role, Place::old_record, States::matter),
                      state_forbidden, "no rule allows " + transition.name);
    sql += refuse_if(
        fmt::format("OLD.\"state\" NOT IN ({}) OR NEW.\"state\" <> {}", from, quote_literal(transition.to)),
        state_wrong_state, transition.name + " does not lead from this state to that");
    sql += only_these_change(writable, allowed);
    for (const auto& field : transition.requires_fields) {
        sql += refuse_if("NEW." + quote_identifier(field) + " IS NULL", state_required_for_transition,
                         transition.name + " needs " + field, field);
    }
    if (!transition.guard_sql.empty()) {
        sql += demand(asked_of_new(collection, transition.guard_sql), state_guard,
                      transition.name + " needs " + transition.guard);
    }
    return sql;
}

std::string soft_delete_body(const Collection& collection, std::string_view role,
                             const std::vector<std::string>& writable) {
    return demand(condition_of(collection.remove, collection, role, Place::old_record, States::matter),
                  state_forbidden, "no rule allows it to be deleted") +
           only_these_change(writable, {std::string(deleted_at)}) + "NEW.deleted_at := now();\n";
}

// What a role's update must meet beyond its policy, which lets through whatever any rule of it allows.
std::string update_body(const Collection& collection, std::string_view role) {
    auto writable = rights_of(collection, role).update;
    if (writable.empty()) return refuse(state_forbidden, "no rule allows it to be changed") + "\n";
    auto transitions = transitions_of(collection, role);
    bool deletes = may_delete_softly(collection, role);
    // Whose name it had would be noted as if it had been checked.
    auto plain = transitions.empty() ? refuse_if("integreat.transition() IS NOT NULL", state_forbidden,
                                                 "no rule allows this transition")
                                     : std::string();
    if (transitions.empty() && !deletes) return plain;
    plain += demand(condition_of(collection.update, collection, role, Place::old_record, States::matter),
                    state_forbidden, "no rule allows it to be updated") +
             only_these_change(writable, changeable_fields(collection, role));
    std::string sql;
    if (deletes) {
        sql += "IF NEW.deleted_at IS NOT NULL THEN\n" + soft_delete_body(collection, role, writable) + "ELS";
    }
    if (!transitions.empty()) {
        sql += "IF integreat.transition() IS NOT NULL THEN\nCASE integreat.transition()\n";
        for (const auto* transition : transitions) {
            sql += fmt::format("WHEN {} THEN\n{}", quote_literal(transition->name),
                               transition_body(collection, *transition, role, writable) + "NULL;\n");
        }
        sql += "ELSE " + refuse(state_forbidden, "no rule allows this transition") + "\nEND CASE;\nELS";
    }
    return sql + "E\n" + plain + "NULL;\nEND IF;\n";
}

// One branch per text, for all roles that have it; the rest is for nobody but the owner.
std::string by_role(const Model& model, const std::map<std::string, std::string>& bodies) {
    std::map<std::string, std::string> roles_of;
    for (const auto& [role, body] : bodies) {
        auto& roles = roles_of[body];
        roles += (roles.empty() ? "" : ", ") + quote_literal(database_role(model.app, role));
    }
    std::string sql;
    for (const auto& [body, roles] : roles_of) {
        sql += fmt::format("{} current_user IN ({}) THEN\n{}", sql.empty() ? "IF" : "ELSIF", roles,
                           body.empty() ? "NULL;\n" : body);
    }
    return sql +
           "ELSIF NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), "
           "'MEMBER')"
           " THEN\n" +
           refuse(state_forbidden, "this role has no part in it") + "\nEND IF;\n";
}

// That what `fields` refer to may be read. A role of the database in front of each makes the texts differ, so
// that each has plans of its own.
std::string references_body(const Model& model, const Collection& collection, std::string_view role,
                            const std::vector<std::string>& writable, bool updating) {
    std::string sql;
    for (const auto& field : collection.fields) {
        if (field.type != FieldType::reference || !contains(writable, field.name)) continue;
        auto set = fmt::format("NEW.{} IS NOT NULL", quote_identifier(field.name));
        if (updating) set += " AND " + changed(field.name);
        bool readable = !rules_for(model.find(field.target)->read, role).empty();
        auto seen = readable
                        ? fmt::format("PERFORM FROM {} AS r WHERE r.\"id\" = NEW.{};\nIF NOT FOUND THEN ",
                                      table_of(field.target), quote_identifier(field.name))
                        : std::string("IF TRUE THEN ");
        sql += fmt::format("IF {} THEN\n{}{} END IF;\nEND IF;\n", set, seen,
                           refuse(state_unreadable_reference, "no such record", field.name));
    }
    return sql;
}

std::string references_by_role(const Model& model, const Collection& collection, bool updating) {
    std::string sql;
    for (const auto& role : model.roles) {
        auto rights = rights_of(collection, role);
        auto body =
            references_body(model, collection, role, updating ? rights.update : rights.create, updating);
        if (body.empty()) continue;
        sql += fmt::format("{} current_user = {} THEN\n{}", sql.empty() ? "IF" : "ELSIF",
                           quote_literal(database_role(model.app, role)), body);
    }
    return sql.empty() ? sql : sql + "END IF;\n";
}

}  // namespace

void add_guard(Desired& desired, const Model& model, const Collection& collection) {
    std::map<std::string, std::string> updates;
    for (const auto& role : model.roles)
        updates[role] = update_body(collection, role);
    auto inserting = references_by_role(model, collection, false);
    auto name = "integreat." + quote_identifier(identifier_within_limit("guard_" + collection.name));
    auto begin = inserting.empty() ? "" : "IF TG_OP = 'INSERT' THEN\n" + inserting + "RETURN NEW;\nEND IF;\n";
    desired.functions.push_back(fmt::format(
        "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS "
        "$guard$\n"
        "BEGIN\n{}NEW.version := OLD.version + 1;\nNEW.updated_at := now();\n{}{}RETURN NEW;\nEND $guard$",
        name, begin, by_role(model, updates), references_by_role(model, collection, true)));
    desired.functions.push_back("REVOKE EXECUTE ON FUNCTION " + name + "() FROM PUBLIC");
    auto table = table_of(collection.name);
    desired.triggers.push_back(
        fmt::format("CREATE TRIGGER guard BEFORE {}UPDATE ON {} FOR EACH ROW "
                    "EXECUTE FUNCTION {}()",
                    inserting.empty() ? "" : "INSERT OR ", table, name));
    desired.triggers.push_back(
        fmt::format("CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH "
                    "ROW EXECUTE FUNCTION integreat.note_change()",
                    table));
}

}  // namespace integreat::collections
