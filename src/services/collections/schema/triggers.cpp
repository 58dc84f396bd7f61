// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/triggers.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text/find_by_name.h"
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

std::string raise(std::string_view state, std::string_view message, std::string_view field = {}) {
    auto column = field.empty() ? "" : ", COLUMN = " + quote_literal(field);
    return fmt::format("RAISE EXCEPTION USING ERRCODE = {}, MESSAGE = {}{}, TABLE = TG_TABLE_NAME;",
                       quote_literal(state), quote_literal(message), column);
}

std::string raise_if(const std::string& condition, std::string_view state, std::string_view message,
                     std::string_view field = {}) {
    return "IF " + condition + " THEN " + raise(state, message, field) + " END IF;\n";
}

// Raises unless the condition is true. NULL, for an anonymous caller or a missing reference, raises, too.
std::string raise_unless(const std::string& condition, std::string_view state, std::string_view message) {
    return condition == "true" ? "" : raise_if("(" + condition + ") IS NOT TRUE", state, message);
}

std::string is_changed(std::string_view field) {
    auto column = quote_identifier(field);
    return fmt::format("NEW.{0} IS DISTINCT FROM OLD.{0}", column);
}

// Rejects changes to fields the role may write in general, other than `allowed`.
std::string reject_other_changes(const std::vector<std::string>& writable,
                                 const std::vector<std::string>& allowed) {
    std::string sql;
    for (const auto& field : writable) {
        if (!contains(allowed, field))
            sql +=
                raise_if(is_changed(field), sqlstate_forbidden, "this change may not touch " + field, field);
    }
    return sql;
}

// Evaluates a condition over columns for NEW. Generated columns are not set yet in a BEFORE trigger: they are
// computed here.
std::string evaluate_for_new(const Collection& collection, const std::string& condition) {
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
    auto sql = raise_unless(
        to_sql_condition(transition.allow, collection, role, PolicyContext::old_record, StateCheck::include),
        sqlstate_forbidden, "no rule allows " + transition.name);
    sql += raise_if(
        fmt::format("OLD.\"state\" NOT IN ({}) OR NEW.\"state\" <> {}", from, quote_literal(transition.to)),
        sqlstate_wrong_state, transition.name + " does not lead from this state to that");
    sql += reject_other_changes(writable, allowed);
    for (const auto& field : transition.requires_fields) {
        sql += raise_if("NEW." + quote_identifier(field) + " IS NULL", sqlstate_required_for_transition,
                        transition.name + " needs " + field, field);
    }
    if (!transition.guard_sql.empty()) {
        sql += raise_unless(evaluate_for_new(collection, transition.guard_sql), sqlstate_guard,
                            transition.name + " needs " + transition.guard);
    }
    return sql;
}

std::string soft_delete_body(const Collection& collection, std::string_view role,
                             const std::vector<std::string>& writable) {
    return raise_unless(to_sql_condition(collection.remove, collection, role, PolicyContext::old_record,
                                         StateCheck::include),
                        sqlstate_forbidden, "no rule allows it to be deleted") +
           reject_other_changes(writable, {std::string(deleted_at)}) + "NEW.deleted_at := now();\n";
}

// Checks an UPDATE of a role beyond its policy, which combines the rules of all kinds of changes.
std::string update_body(const Collection& collection, std::string_view role) {
    auto writable = column_privileges(collection, role).update;
    if (writable.empty()) return raise(sqlstate_forbidden, "no rule allows it to be changed") + "\n";
    auto transitions = allowed_transitions(collection, role);
    bool deletes = may_soft_delete(collection, role);
    // The change log would record an unchecked transition name otherwise.
    auto update_checks = transitions.empty() ? raise_if("integreat.transition() IS NOT NULL",
                                                        sqlstate_forbidden, "no rule allows this transition")
                                             : std::string();
    if (transitions.empty() && !deletes) return update_checks;
    update_checks += raise_unless(to_sql_condition(collection.update, collection, role,
                                                   PolicyContext::old_record, StateCheck::include),
                                  sqlstate_forbidden, "no rule allows it to be updated") +
                     reject_other_changes(writable, updatable_fields(collection, role));
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
        sql += "ELSE " + raise(sqlstate_forbidden, "no rule allows this transition") + "\nEND CASE;\nELS";
    }
    return sql + "E\n" + update_checks + "NULL;\nEND IF;\n";
}

// Returns one branch per body, for all roles that share it. Other roles are rejected, except for the owner.
std::string branch_by_role(const Model& model, const std::map<std::string, std::string>& bodies) {
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
           raise(sqlstate_forbidden, "this role has no part in it") + "\nEND IF;\n";
}

// Checks that the caller may read the referenced records. The statements are repeated per role, so that each
// role has its own plans.
std::string reference_checks(const Model& model, const Collection& collection, std::string_view role,
                             const std::vector<std::string>& writable, bool is_update) {
    std::string sql;
    for (const auto& field : collection.fields) {
        if (field.type != FieldType::reference || !contains(writable, field.name)) continue;
        auto is_set = fmt::format("NEW.{} IS NOT NULL", quote_identifier(field.name));
        if (is_update) is_set += " AND " + is_changed(field.name);
        bool readable = !rules_for(model.find(field.target)->read, role).empty();
        auto lookup = readable
                          ? fmt::format("PERFORM FROM {} AS r WHERE r.\"id\" = NEW.{};\nIF NOT FOUND THEN ",
                                        qualified_table(field.target), quote_identifier(field.name))
                          : std::string("IF TRUE THEN ");
        sql += fmt::format("IF {} THEN\n{}{} END IF;\nEND IF;\n", is_set, lookup,
                           raise(sqlstate_unreadable_reference, "no such record", field.name));
    }
    return sql;
}

std::string reference_checks_by_role(const Model& model, const Collection& collection, bool is_update) {
    std::string sql;
    for (const auto& role : model.roles) {
        auto privileges = column_privileges(collection, role);
        auto body = reference_checks(model, collection, role,
                                     is_update ? privileges.update : privileges.create, is_update);
        if (body.empty()) continue;
        sql += fmt::format("{} current_user = {} THEN\n{}", sql.empty() ? "IF" : "ELSIF",
                           quote_literal(database_role(model.app, role)), body);
    }
    return sql.empty() ? sql : sql + "END IF;\n";
}

}  // namespace

void add_record_triggers(TargetSchema& target, const Model& model, const Collection& collection) {
    std::map<std::string, std::string> updates;
    for (const auto& role : model.roles)
        updates[role] = update_body(collection, role);
    auto insert_checks = reference_checks_by_role(model, collection, false);
    auto name = "integreat." + quote_identifier(truncate_identifier("guard_" + collection.name));
    auto begin =
        insert_checks.empty() ? "" : "IF TG_OP = 'INSERT' THEN\n" + insert_checks + "RETURN NEW;\nEND IF;\n";
    target.functions.push_back(fmt::format(
        "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS "
        "$guard$\n"
        "BEGIN\n{}NEW.version := OLD.version + 1;\nNEW.updated_at := now();\n{}{}RETURN NEW;\nEND $guard$",
        name, begin, branch_by_role(model, updates), reference_checks_by_role(model, collection, true)));
    target.functions.push_back("REVOKE EXECUTE ON FUNCTION " + name + "() FROM PUBLIC");
    auto table = qualified_table(collection.name);
    target.triggers.push_back(
        fmt::format("CREATE TRIGGER guard BEFORE {}UPDATE ON {} FOR EACH ROW "
                    "EXECUTE FUNCTION {}()",
                    insert_checks.empty() ? "" : "INSERT OR ", table, name));
    target.triggers.push_back(
        fmt::format("CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH "
                    "ROW EXECUTE FUNCTION integreat.note_change()",
                    table));
}

// The count runs as the owner of the table: the caller may not read all of their own records. A statement of
// the same caller in another transaction waits for the lock until this one has ended, and then counts its
// records, too.
void add_quota_trigger(TargetSchema& target, const Model& model, const Collection& collection) {
    auto limited = config::limited_roles(model, collection);
    if (!collection.max_per_owner || limited.empty()) return;
    std::string roles;
    for (const auto& role : limited)
        roles += (roles.empty() ? "" : ", ") + quote_literal(database_role(model.app, role));
    auto table = qualified_table(collection.name);
    auto name = "integreat." + quote_identifier(truncate_identifier("quota_" + collection.name));
    auto count = [&](std::string_view condition) {
        return fmt::format(
            "SELECT count(*) INTO records FROM (SELECT FROM {} AS r WHERE {} LIMIT {}) AS few;\n", table,
            condition, *collection.max_per_owner + 1);
    };
    target.functions.push_back(fmt::format(
        "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "
        "pg_catalog, pg_temp AS $quota$\nDECLARE\ncreator text := integreat.uid();\nrecords bigint;\nBEGIN\n"
        "IF current_setting('role') NOT IN ({}) THEN RETURN NULL; END IF;\n"
        "PERFORM pg_advisory_xact_lock(hashtextextended({} || coalesce(creator, ''), 0));\n"
        "IF creator IS NULL THEN\n{}ELSE\n{}END IF;\n{}RETURN NULL;\nEND $quota$",
        name, roles, quote_literal("quota " + collection.name + " "), count("r.created_by IS NULL"),
        count("r.created_by = creator"),
        raise_if(fmt::format("records > {}", *collection.max_per_owner), sqlstate_quota,
                 "the caller has created too many records")));
    target.functions.push_back("REVOKE EXECUTE ON FUNCTION " + name + "() FROM PUBLIC");
    target.triggers.push_back(fmt::format(
        "CREATE TRIGGER quota AFTER INSERT ON {} FOR EACH STATEMENT EXECUTE FUNCTION {}()", table, name));
}

}  // namespace integreat::collections
