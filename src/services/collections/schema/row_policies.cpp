// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/row_policies.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "postgres/driver/identifier.h"
#include "services/collections/views/caller_role.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;
using postgres::quote_literal;

std::string column_in(Place place, std::string_view field) {
    auto column = quote_identifier(field);
    if (place == Place::policy) return column;
    return (place == Place::old_record ? "OLD." : "NEW.") + column;
}

std::string caller_in(Place place) {
    return place == Place::policy ? "(SELECT integreat.uid())" : "integreat.uid()";
}

// "integreat"."through_0123456789ab", the same for the same path from the same collection.
std::string path_function(const Path& path, const Collection& collection) {
    auto hash = crypto::hex_encode(crypto::as_view(crypto::sha256(collection.name + " " + path.text)));
    return "integreat.through_" + hash.substr(0, 12);
}

std::string path_condition(const Path& path, const Collection& collection, Place place) {
    const auto& first = path.steps.front();
    auto column = column_in(place, first.backward ? std::string_view("id") : first.field);
    auto function = path_function(path, collection) + "()";
    return place == Place::policy ? fmt::format("{} = ANY ((SELECT {})::uuid[])", column, function)
                                  : fmt::format("{} = ANY ({})", column, function);
}

std::string states_condition(const std::vector<std::string>& states, Place place) {
    std::string list;
    for (const auto& state : states)
        list += (list.empty() ? "" : ", ") + quote_literal(state);
    return fmt::format("{} IN ({})", column_in(place, "state"), list);
}

std::string holds_caller(const std::string& column, bool is_list, const std::string& caller) {
    return is_list ? fmt::format("{} @> ARRAY[{}]", column, caller) : fmt::format("{} = {}", column, caller);
}

// SELECT of all ids that a record must be, or refer to, for the path to end at the caller.
std::string path_query(const Path& path, const Model& model) {
    std::string from, where;
    bool backward = false;
    for (std::size_t i = 0; i < path.steps.size(); ++i) {
        const auto& step = path.steps[i];
        auto table = fmt::format("{} AS s{}", table_of(step.collection), i);
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
    auto wanted = quote_identifier(first.backward ? std::string_view(first.field) : "id");
    if (first.backward) where += fmt::format(" AND s0.{} IS NOT NULL", wanted);
    auto end = fmt::format("s{}.{}", path.steps.size() - 1, quote_identifier(path.end));
    return fmt::format("SELECT {}s0.{} FROM {} WHERE {}{}", backward ? "DISTINCT " : "", wanted, from,
                       holds_caller(end, path.end_is_list, "integreat.uid()"), where);
}

template <class Visit>
void each_rule(const Collection& collection, Visit visit) {
    for (const auto* rules : {&collection.read, &collection.create, &collection.update, &collection.remove}) {
        for (const auto& rule : *rules)
            visit(rule);
    }
    for (const auto& transition : collection.transitions) {
        for (const auto& rule : transition.allow)
            visit(rule);
    }
}

// Roles for which the same is to be said.
using RolesByText = std::map<std::string, std::vector<std::string>>;

std::string list_of(const std::vector<std::string>& roles) {
    std::string list;
    for (const auto& role : roles)
        list += (list.empty() ? "" : ", ") + quote_identifier(role);
    return list;
}

std::string columns_of(const std::vector<std::string>& columns) {
    std::string list;
    for (const auto& column : columns)
        list += (list.empty() ? "" : ", ") + quote_identifier(column);
    return list;
}

struct Conditions {
    std::string before, after;  // USING and WITH CHECK; "false": not at all.
};

// Any of what changes a record: an update, a transition, a soft delete. Which it is, the guard finds out.
Conditions update_conditions(const Collection& collection, std::string_view role) {
    std::vector<const std::vector<Rule>*> kinds{&collection.update};
    for (const auto& transition : collection.transitions)
        kinds.push_back(&transition.allow);
    if (collection.soft_delete) kinds.push_back(&collection.remove);
    auto any = [&](States states) {
        std::vector<Rule> all;
        for (const auto* rules : kinds)
            all.insert(all.end(), rules->begin(), rules->end());
        return condition_of(all, collection, role, Place::policy, states);
    };
    Conditions conditions{any(States::matter), any(States::aside)};
    if (collection.soft_delete && conditions.before != "false")
        conditions.before = "\"deleted_at\" IS NULL AND (" + conditions.before + ")";
    return conditions;
}

// A record that is being deleted stays in sight of the transaction that deletes it, or Postgres would refuse
// to update it; nobody else's transaction began in the same microsecond and after it.
std::string read_condition(const Collection& collection, std::string_view role) {
    auto condition = condition_of(collection.read, collection, role, Place::policy, States::matter);
    if (!collection.soft_delete || condition == "false") return condition;
    std::string living = "(\"deleted_at\" IS NULL OR \"deleted_at\" = now())";
    return condition == "true" ? living : living + " AND (" + condition + ")";
}

void add_policies(Desired& desired, const Collection& collection, std::string_view command,
                  const RolesByText& clauses) {
    int number = 0;
    for (const auto& [clause, roles] : clauses) {
        desired.access.push_back(fmt::format("CREATE POLICY \"{}_{}\" ON {} FOR {} TO {} {}", command,
                                             ++number, table_of(collection.name), command, list_of(roles),
                                             clause));
    }
}

void add_rights(Desired& desired, const Collection& collection, const std::string& role,
                const ColumnRights& rights) {
    auto grant = [&](std::string_view right, const std::vector<std::string>& columns) {
        if (columns.empty()) return;
        desired.access.push_back(fmt::format("GRANT {} ({}) ON {} TO {}", right, columns_of(columns),
                                             table_of(collection.name), quote_identifier(role)));
    };
    grant("SELECT", rights.read);
    grant("INSERT", rights.create);
    grant("UPDATE", rights.update);
    if (rights.remove) {
        desired.access.push_back(
            fmt::format("GRANT DELETE ON {} TO {}", table_of(collection.name), quote_identifier(role)));
    }
}

// Who may read all of a collection, reads all of its history; others, that of the records they may read.
void add_history(Desired& desired, const Model& model, const Collection& collection) {
    RolesByText clauses;
    for (const auto& name : collection.history_roles) {
        auto role = database_role(model.app, name);
        auto condition = condition_of(collection.read, collection, name, Place::policy, States::matter);
        if (condition == "false") continue;
        auto of_collection = "collection = " + quote_literal(collection.name);
        auto readable = fmt::format(" AND EXISTS (SELECT FROM {} AS r WHERE r.\"id\" = record)",
                                    table_of(collection.name));
        clauses[of_collection + (condition == "true" ? "" : readable)].push_back(role);
        desired.access.push_back("GRANT SELECT ON integreat.changes TO " + quote_identifier(role));
    }
    int number = 0;
    for (const auto& [clause, roles] : clauses) {
        desired.access.push_back(
            fmt::format("CREATE POLICY {} ON integreat.changes FOR SELECT TO {} USING ({})",
                        quote_identifier(
                            identifier_within_limit(fmt::format("history_{}_{}", ++number, collection.name))),
                        list_of(roles), clause));
    }
}

}  // namespace

std::string condition_of(const Rule& rule, const Collection& collection, Place place, States states) {
    std::vector<std::string> parts;
    if (!rule.owner.empty()) {
        parts.push_back(holds_caller(column_in(place, rule.owner), rule.owner_is_list, caller_in(place)));
    }
    if (rule.through) parts.push_back(path_condition(*rule.through, collection, place));
    if (!rule.states.empty() && states == States::matter)
        parts.push_back(states_condition(rule.states, place));
    std::string condition;
    for (const auto& part : parts)
        condition += (condition.empty() ? "" : " AND ") + part;
    return condition.empty() ? "true" : condition;
}

std::string condition_of(const std::vector<Rule>& rules, const Collection& collection, std::string_view role,
                         Place place, States states) {
    std::vector<std::string> parts;
    for (const auto* rule : rules_for(rules, role)) {
        auto part = "(" + condition_of(*rule, collection, place, states) + ")";
        if (part == "(true)") return "true";
        if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
    }
    std::string condition;
    for (const auto& part : parts)
        condition += (condition.empty() ? "" : " OR ") + part;
    return condition.empty() ? "false" : condition;
}

std::vector<std::string> changeable_fields(const Collection& collection, std::string_view role) {
    std::vector<std::string> names;
    for (const auto* field : fields_for(collection, Action::update, role)) {
        if (field->writable() && !field->immutable) names.push_back(field->name);
    }
    return names;
}

std::vector<const Transition*> transitions_of(const Collection& collection, std::string_view role) {
    std::vector<const Transition*> transitions;
    for (const auto& transition : collection.transitions) {
        if (!rules_for(transition.allow, role).empty()) transitions.push_back(&transition);
    }
    return transitions;
}

bool may_delete_softly(const Collection& collection, std::string_view role) {
    return collection.soft_delete && !rules_for(collection.remove, role).empty();
}

ColumnRights rights_of(const Collection& collection, std::string_view role) {
    ColumnRights rights;
    for (const auto* field : fields_for(collection, Action::read, role))
        rights.read.push_back(field->name);
    auto creatable = fields_for(collection, Action::create, role);
    if (!creatable.empty()) rights.create.push_back("id");
    for (const auto* field : creatable) {
        if (field->writable()) rights.create.push_back(field->name);
    }
    rights.update = changeable_fields(collection, role);
    auto transitions = transitions_of(collection, role);
    if (!transitions.empty()) rights.update.push_back("state");
    for (const auto* transition : transitions) {
        for (const auto& field : transition->accepts) {
            if (std::find(rights.update.begin(), rights.update.end(), field) == rights.update.end())
                rights.update.push_back(field);
        }
    }
    if (may_delete_softly(collection, role)) rights.update.emplace_back(deleted_at);
    rights.remove = !collection.soft_delete && !rules_for(collection.remove, role).empty();
    return rights;
}

std::set<std::string> owner_fields(const Model& model, const Collection& collection) {
    std::set<std::string> fields;
    each_rule(collection, [&](const Rule& rule) {
        if (!rule.owner.empty()) fields.insert(rule.owner);
    });
    for (const auto& other : model.collections) {
        each_rule(other, [&](const Rule& rule) {
            if (rule.through && rule.through->steps.back().collection == collection.name)
                fields.insert(rule.through->end);
        });
    }
    return fields;
}

// Plans of PL/pgSQL are kept, those of SQL functions are made again for each query. They belong to the owner,
// whom the policies do not bind, so that policies cannot lead to each other in a circle.
void add_paths(Desired& desired, const Model& model) {
    for (const auto& collection : model.collections) {
        std::map<std::string, std::pair<const Path*, std::set<std::string>>> paths;
        each_rule(collection, [&](const Rule& rule) {
            if (!rule.through) return;
            auto& [path, roles] = paths[path_function(*rule.through, collection)];
            path = &*rule.through;
            for (const auto& role : rule.roles)
                roles.insert(database_role(model.app, role));
        });
        for (const auto& [function, use] : paths) {
            desired.functions.push_back(
                fmt::format("CREATE FUNCTION {}() RETURNS uuid[] LANGUAGE plpgsql STABLE SECURITY DEFINER "
                            "SET search_path = pg_catalog, pg_temp AS $path$ "
                            "BEGIN RETURN ARRAY({}); END $path$",
                            function, path_query(*use.first, model)));
            desired.functions.push_back(fmt::format("REVOKE EXECUTE ON FUNCTION {}() FROM PUBLIC", function));
            desired.functions.push_back(fmt::format("GRANT EXECUTE ON FUNCTION {}() TO {}", function,
                                                    list_of({use.second.begin(), use.second.end()})));
        }
    }
}

void add_access(Desired& desired, const Model& model, const Collection& collection) {
    RolesByText read, create, update, remove;
    for (const auto& name : model.roles) {
        auto role = database_role(model.app, name);
        add_rights(desired, collection, role, rights_of(collection, name));
        auto readable = read_condition(collection, name);
        if (readable != "false") read["USING (" + readable + ")"].push_back(role);
        auto creatable = condition_of(collection.create, collection, name, Place::policy, States::aside);
        if (creatable != "false") create["WITH CHECK (" + creatable + ")"].push_back(role);
        auto changeable = update_conditions(collection, name);
        if (changeable.before != "false") {
            update[fmt::format("USING ({}) WITH CHECK ({})", changeable.before, changeable.after)].push_back(
                role);
        }
        auto removable = condition_of(collection.remove, collection, name, Place::policy, States::matter);
        if (!collection.soft_delete && removable != "false")
            remove["USING (" + removable + ")"].push_back(role);
    }
    add_policies(desired, collection, "SELECT", read);
    add_policies(desired, collection, "INSERT", create);
    add_policies(desired, collection, "UPDATE", update);
    add_policies(desired, collection, "DELETE", remove);
    add_history(desired, model, collection);
}

}  // namespace integreat::collections
