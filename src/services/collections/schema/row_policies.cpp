// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/row_policies.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text/ascii.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "postgres/driver/identifier.h"
#include "services/collections/views/caller_role.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;
using postgres::quote_identifiers;
using postgres::quote_literal;

std::string column_in(PolicyContext context, std::string_view field) {
    auto column = quote_identifier(field);
    if (context == PolicyContext::policy) return column;
    return (context == PolicyContext::old_record ? "OLD." : "NEW.") + column;
}

std::string caller_in(PolicyContext context) {
    return context == PolicyContext::policy ? "(SELECT integreat.uid())" : "integreat.uid()";
}

// Returns "integreat"."through_0123456789ab": the same name for the same path from the same collection.
std::string path_function(const Path& path, const Collection& collection) {
    auto hash = crypto::hex_encode(crypto::as_view(crypto::sha256(collection.name + " " + path.text)));
    return "integreat.through_" + hash.substr(0, 12);
}

std::string path_condition(const Path& path, const Collection& collection, PolicyContext context) {
    const auto& first = path.steps.front();
    auto column = column_in(context, first.backward ? std::string_view("id") : first.field);
    auto function = path_function(path, collection) + "()";
    return context == PolicyContext::policy ? fmt::format("{} = ANY ((SELECT {})::uuid[])", column, function)
                                            : fmt::format("{} = ANY ({})", column, function);
}

std::string states_condition(const std::vector<std::string>& states, PolicyContext context) {
    std::string list;
    for (const auto& state : states)
        list += (list.empty() ? "" : ", ") + quote_literal(state);
    return fmt::format("{} IN ({})", column_in(context, "state"), list);
}

std::string holds_caller(const std::string& column, bool is_list, const std::string& caller) {
    return is_list ? fmt::format("{} @> ARRAY[{}]", column, caller) : fmt::format("{} = {}", column, caller);
}

// Selects all IDs that a record must have, or refer to, for the path to end at the caller.
std::string path_query(const Path& path, const Model& model) {
    std::string from, where;
    bool backward = false;
    for (std::size_t i = 0; i < path.steps.size(); ++i) {
        const auto& step = path.steps[i];
        auto table = fmt::format("{} AS s{}", qualified_table(step.collection), i);
        auto field = quote_identifier(step.field);
        if (i == 0) {
            from = table;
        } else if (step.backward) {
            from += fmt::format(" JOIN {} ON s{}.{} = s{}.\"id\"", table, i, field, i - 1);
        } else {
            from += fmt::format(" JOIN {} ON s{}.\"id\" = s{}.{}", table, i, i - 1, field);
        }
        if (model.find(step.collection)->soft_delete) where += fmt::format(" AND s{}.deleted_at IS NULL", i);
        backward = backward || step.backward;
    }
    const auto& first = path.steps.front();
    auto id_column = quote_identifier(first.backward ? std::string_view(first.field) : "id");
    if (first.backward) where += fmt::format(" AND s0.{} IS NOT NULL", id_column);
    auto end = fmt::format("s{}.{}", path.steps.size() - 1, quote_identifier(path.end));
    return fmt::format("SELECT {}s0.{} FROM {} WHERE {}{}", backward ? "DISTINCT " : "", id_column, from,
                       holds_caller(end, path.end_is_list, "integreat.uid()"), where);
}

template <class Visit>
void for_each_rule(const Collection& collection, Visit visit) {
    for (const auto* rules : {&collection.read, &collection.create, &collection.update, &collection.remove}) {
        for (const auto& rule : *rules)
            visit(rule);
    }
    for (const auto& transition : collection.transitions) {
        for (const auto& rule : transition.allow)
            visit(rule);
    }
}

// Roles grouped by identical policy text.
using RolesByClause = std::map<std::string, std::vector<std::string>>;

struct Conditions {
    std::string before, after;  // USING and WITH CHECK; "false" if no rule allows it.
};

// Combines all rules that may change a record by UPDATE: updates, transitions and soft deletes. The record
// trigger distinguishes them.
Conditions update_conditions(const Collection& collection, std::string_view role) {
    std::vector<const std::vector<Rule>*> kinds{&collection.update};
    for (const auto& transition : collection.transitions)
        kinds.push_back(&transition.allow);
    if (collection.soft_delete) kinds.push_back(&collection.remove);
    auto any_rule = [&](StateCheck state_check) {
        std::vector<Rule> all;
        for (const auto* rules : kinds)
            all.insert(all.end(), rules->begin(), rules->end());
        return to_sql_condition(all, collection, role, PolicyContext::policy, state_check);
    };
    Conditions conditions{any_rule(StateCheck::include), any_rule(StateCheck::ignore)};
    if (collection.soft_delete && conditions.before != "false")
        conditions.before = "\"deleted_at\" IS NULL AND (" + conditions.before + ")";
    return conditions;
}

// A soft-deleted record stays visible to the transaction that deletes it, or Postgres would reject the
// UPDATE. now() is the start of the transaction: no other transaction sees the record by starting in the same
// microsecond afterwards.
std::string read_condition(const Collection& collection, std::string_view role) {
    auto condition =
        to_sql_condition(collection.read, collection, role, PolicyContext::policy, StateCheck::include);
    if (!collection.soft_delete || condition == "false") return condition;
    std::string not_deleted = "(\"deleted_at\" IS NULL OR \"deleted_at\" = now())";
    return condition == "true" ? not_deleted : not_deleted + " AND (" + condition + ")";
}

void add_policies(TargetSchema& target, const Collection& collection, std::string_view command,
                  const RolesByClause& clauses) {
    int number = 0;
    for (const auto& [clause, roles] : clauses) {
        target.access.push_back(fmt::format("CREATE POLICY \"{}_{}\" ON {} FOR {} TO {} {}", command,
                                            ++number, qualified_table(collection.name), command,
                                            quote_identifiers(roles), clause));
    }
}

void add_grants(TargetSchema& target, const Collection& collection, const std::string& role,
                const ColumnPrivileges& privileges) {
    auto grant = [&](std::string_view privilege, const std::vector<std::string>& columns) {
        if (columns.empty()) return;
        target.access.push_back(fmt::format("GRANT {} ({}) ON {} TO {}", privilege,
                                            quote_identifiers(columns), qualified_table(collection.name),
                                            quote_identifier(role)));
    };
    grant("SELECT", privileges.read);
    grant("INSERT", privileges.create);
    grant("UPDATE", privileges.update);
    if (privileges.remove) {
        target.access.push_back(fmt::format("GRANT DELETE ON {} TO {}", qualified_table(collection.name),
                                            quote_identifier(role)));
    }
}

// Roles that may read all records of a collection read all of its history; others that of the records they
// may read.
void add_history_policies(TargetSchema& target, const Model& model, const Collection& collection) {
    RolesByClause clauses;
    for (const auto& name : collection.history_roles) {
        auto role = database_role(model.app, name);
        auto condition =
            to_sql_condition(collection.read, collection, name, PolicyContext::policy, StateCheck::include);
        if (condition == "false") continue;
        auto collection_condition = "collection = " + quote_literal(collection.name);
        auto readable = fmt::format(" AND EXISTS (SELECT FROM {} AS r WHERE r.\"id\" = record)",
                                    qualified_table(collection.name));
        clauses[collection_condition + (condition == "true" ? "" : readable)].push_back(role);
        target.access.push_back("GRANT SELECT ON integreat.changes TO " + quote_identifier(role));
    }
    int number = 0;
    for (const auto& [clause, roles] : clauses) {
        target.access.push_back(fmt::format(
            "CREATE POLICY {} ON integreat.changes FOR SELECT TO {} USING ({})",
            quote_identifier(truncate_identifier(fmt::format("history_{}_{}", ++number, collection.name))),
            quote_identifiers(roles), clause));
    }
}

}  // namespace

std::string to_sql_condition(const Rule& rule, const Collection& collection, PolicyContext context,
                             StateCheck state_check) {
    std::vector<std::string> parts;
    if (!rule.owner.empty()) {
        parts.push_back(holds_caller(column_in(context, rule.owner), rule.owner_is_list, caller_in(context)));
    }
    if (rule.through) parts.push_back(path_condition(*rule.through, collection, context));
    if (!rule.states.empty() && state_check == StateCheck::include)
        parts.push_back(states_condition(rule.states, context));
    auto condition = join(parts, " AND ");
    return condition.empty() ? "true" : condition;
}

std::string to_sql_condition(const std::vector<Rule>& rules, const Collection& collection,
                             std::string_view role, PolicyContext context, StateCheck state_check) {
    std::vector<std::string> parts;
    for (const auto* rule : rules_for(rules, role)) {
        auto part = "(" + to_sql_condition(*rule, collection, context, state_check) + ")";
        if (part == "(true)") return "true";
        if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
    }
    auto condition = join(parts, " OR ");
    return condition.empty() ? "false" : condition;
}

std::vector<std::string> updatable_fields(const Collection& collection, std::string_view role) {
    std::vector<std::string> names;
    for (const auto* field : fields_for(collection, Action::update, role)) {
        if (field->writable() && !field->immutable) names.push_back(field->name);
    }
    return names;
}

std::vector<const Transition*> allowed_transitions(const Collection& collection, std::string_view role) {
    std::vector<const Transition*> transitions;
    for (const auto& transition : collection.transitions) {
        if (!rules_for(transition.allow, role).empty()) transitions.push_back(&transition);
    }
    return transitions;
}

bool may_soft_delete(const Collection& collection, std::string_view role) {
    return collection.soft_delete && !rules_for(collection.remove, role).empty();
}

ColumnPrivileges column_privileges(const Collection& collection, std::string_view role) {
    ColumnPrivileges privileges;
    for (const auto* field : fields_for(collection, Action::read, role))
        privileges.read.push_back(field->name);
    auto creatable = fields_for(collection, Action::create, role);
    if (!creatable.empty()) privileges.create.push_back("id");
    for (const auto* field : creatable) {
        if (field->writable()) privileges.create.push_back(field->name);
    }
    privileges.update = updatable_fields(collection, role);
    auto transitions = allowed_transitions(collection, role);
    if (!transitions.empty()) privileges.update.push_back("state");
    for (const auto* transition : transitions) {
        for (const auto& field : transition->accepts) {
            if (std::find(privileges.update.begin(), privileges.update.end(), field) ==
                privileges.update.end())
                privileges.update.push_back(field);
        }
    }
    if (may_soft_delete(collection, role)) privileges.update.emplace_back(deleted_at);
    privileges.remove = !collection.soft_delete && !rules_for(collection.remove, role).empty();
    return privileges;
}

std::set<std::string> owner_fields(const Model& model, const Collection& collection) {
    std::set<std::string> fields;
    for_each_rule(collection, [&](const Rule& rule) {
        if (!rule.owner.empty()) fields.insert(rule.owner);
    });
    for (const auto& other : model.collections) {
        for_each_rule(other, [&](const Rule& rule) {
            if (rule.through && rule.through->steps.back().collection == collection.name)
                fields.insert(rule.through->end);
        });
    }
    return fields;
}

// PL/pgSQL functions keep their plans; SQL functions are planned again for each query. The functions run as
// the owner, who bypasses the policies, so that policies cannot recurse into each other.
void add_path_functions(TargetSchema& target, const Model& model) {
    for (const auto& collection : model.collections) {
        std::map<std::string, std::pair<const Path*, std::set<std::string>>> paths;
        for_each_rule(collection, [&](const Rule& rule) {
            if (!rule.through) return;
            auto& [path, roles] = paths[path_function(*rule.through, collection)];
            path = &*rule.through;
            for (const auto& role : rule.roles)
                roles.insert(database_role(model.app, role));
        });
        for (const auto& [function, use] : paths) {
            target.functions.push_back(
                fmt::format("CREATE FUNCTION {}() RETURNS uuid[] LANGUAGE plpgsql STABLE SECURITY DEFINER "
                            "SET search_path = pg_catalog, pg_temp AS $path$ "
                            "BEGIN RETURN ARRAY({}); END $path$",
                            function, path_query(*use.first, model)));
            target.functions.push_back(fmt::format("REVOKE EXECUTE ON FUNCTION {}() FROM PUBLIC", function));
            target.functions.push_back(
                fmt::format("GRANT EXECUTE ON FUNCTION {}() TO {}", function,
                            quote_identifiers({use.second.begin(), use.second.end()})));
        }
    }
}

void add_policies_and_grants(TargetSchema& target, const Model& model, const Collection& collection) {
    RolesByClause read, create, update, remove;
    for (const auto& name : model.roles) {
        auto role = database_role(model.app, name);
        add_grants(target, collection, role, column_privileges(collection, name));
        auto readable = read_condition(collection, name);
        if (readable != "false") read["USING (" + readable + ")"].push_back(role);
        auto creatable =
            to_sql_condition(collection.create, collection, name, PolicyContext::policy, StateCheck::ignore);
        if (creatable != "false") create["WITH CHECK (" + creatable + ")"].push_back(role);
        auto changeable = update_conditions(collection, name);
        if (changeable.before != "false") {
            update[fmt::format("USING ({}) WITH CHECK ({})", changeable.before, changeable.after)].push_back(
                role);
        }
        auto removable =
            to_sql_condition(collection.remove, collection, name, PolicyContext::policy, StateCheck::include);
        if (!collection.soft_delete && removable != "false")
            remove["USING (" + removable + ")"].push_back(role);
    }
    add_policies(target, collection, "SELECT", read);
    add_policies(target, collection, "INSERT", create);
    add_policies(target, collection, "UPDATE", update);
    add_policies(target, collection, "DELETE", remove);
    add_history_policies(target, model, collection);
}

}  // namespace integreat::collections
