// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/schema_diff.h"

#include <algorithm>

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

std::string hash_of(const std::string& text) {
    return "integreat: " + crypto::hex_encode(crypto::as_view(crypto::sha256(text))).substr(0, 16);
}

std::string joined(const std::vector<std::string>& statements) {
    std::string sql;
    for (const auto& statement : statements)
        sql += statement + ";\n";
    return sql;
}

std::string list_of(const std::vector<std::string>& roles) {
    std::string list;
    for (const auto& role : roles)
        list += (list.empty() ? "" : ", ") + quote_identifier(role);
    return list;
}

// Roles of this app that the manifest no longer has.
std::vector<std::string> roles_gone(const Comparison& comparison) {
    std::vector<std::string> gone;
    auto prefix = database_role(comparison.app, "");
    for (const auto& role : comparison.found.login_may_become) {
        const auto& roles = comparison.desired.roles;
        bool known = std::find(roles.begin(), roles.end(), role) != roles.end();
        if (!known && role.starts_with(prefix)) gone.push_back(role);
    }
    return gone;
}

// Made by the role that connected, not by the owner.
void change_roles(Plan& plan, const Comparison& comparison) {
    const auto& found = comparison.found;
    auto login = quote_identifier(comparison.order.login_role);
    for (const auto& role : comparison.desired.roles) {
        std::string sql;
        if (!found.roles.contains(role)) sql += "CREATE ROLE " + quote_identifier(role) + " NOLOGIN;\n";
        if (!found.login_may_become.contains(role))
            sql += fmt::format("GRANT {} TO {};\n", quote_identifier(role), login);
        if (!sql.empty())
            plan.steps.push_back({sql, Danger::none, "the database learns the role " + role, true});
    }
    if (found.login_inherits) {
        plan.steps.push_back(
            {fmt::format("ALTER ROLE {} NOINHERIT;\n", login), Danger::none,
             comparison.order.login_role + " has no rights but those of the role it takes on", true});
    }
}

// Rights and rules as they were go first: columns that they name could not be changed under them.
void forget_rules(Plan& plan, const Comparison& comparison) {
    const auto& found = comparison.found;
    auto sql = joined(found.policies) + joined(found.triggers) + joined(found.functions);
    auto gone = roles_gone(comparison);
    auto roles = gone;
    for (const auto& role : comparison.desired.roles)
        roles.push_back(role);
    sql += fmt::format(
        "REVOKE ALL ON ALL TABLES IN SCHEMA data FROM {0};\nREVOKE ALL ON integreat.changes FROM "
        "{0};\nREVOKE ALL ON SCHEMA data, integreat FROM {0};\n",
        list_of(roles));
    plan.steps.push_back({sql, Danger::none, "rules and rights as they were are taken back"});
}

void make_rules(Plan& plan, const Comparison& comparison) {
    const auto& desired = comparison.desired;
    auto sql = fmt::format("GRANT USAGE ON SCHEMA data, integreat TO {};\n", list_of(desired.roles)) +
               joined(desired.functions) + joined(desired.access) + joined(desired.triggers);
    plan.steps.push_back({sql, Danger::none, "rules, guards and rights are those of the manifest"});
}

void revoke_gone(Plan& plan, const Comparison& comparison) {
    for (const auto& role : roles_gone(comparison)) {
        plan.steps.push_back({fmt::format("REVOKE {} FROM {};\n", quote_identifier(role),
                                          quote_identifier(comparison.order.login_role)),
                              Danger::none, "nobody acts as " + role + " any more", true});
    }
}

void refill(Plan& plan, const Table& table, const FoundTable& found) {
    for (const auto& one : table.refills) {
        auto column = std::find_if(table.columns.begin(), table.columns.end(),
                                   [&](const Column& each) { return each.name == one.name; });
        auto was = found.columns.find(one.name);
        bool same = was != found.columns.end() && was->second.comment == definition_of(*column, table);
        if (same || !found.has_records) continue;
        plan.steps.push_back({one.sql + ";\n", Danger::lock,
                              fmt::format("{}.{} is computed for all records", table.name, one.name)});
    }
}

void add_references_and_refill(Plan& plan, const Comparison& comparison) {
    const auto& found = comparison.found.tables;
    for (const auto& table : comparison.desired.tables) {
        auto there = found.find(table.name);
        add_references(plan, table, there == found.end() ? nullptr : &there->second);
    }
    for (const auto& table : comparison.desired.tables) {
        auto there = found.find(table.name);
        if (there != found.end()) refill(plan, table, there->second);
    }
}

}  // namespace

bool Plan::loses_data() const {
    return std::any_of(steps.begin(), steps.end(),
                       [](const PlannedStep& step) { return step.danger == Danger::data_loss; });
}

std::string_view to_string(Danger danger) {
    switch (danger) {
        case Danger::none: return "none";
        case Danger::lock: return "lock";
        case Danger::rewrite: return "rewrite";
        case Danger::data_loss: return "data loss";
    }
    return "";
}

std::string definition_of(const Column& column, const Table& table) {
    auto text = column.default_sql + "|" + column.generated_sql;
    for (const auto& refill : table.refills) {
        if (refill.name == column.name) text += "|" + refill.sql;
    }
    return hash_of(text);
}

std::string definition_of(const Attachment& attachment) {
    return hash_of(attachment.sql);
}

std::string comment_sql(std::string_view kind, const std::string& what, std::string_view text) {
    return fmt::format("COMMENT ON {} {} IS {};\n", kind, what, quote_literal(text));
}

Result<Plan> compare(const Comparison& comparison) {
    Plan plan;
    plan.fingerprint = fingerprint_of(comparison.desired);
    Plan structure;
    for (const auto& table : comparison.desired.tables) {
        auto there = comparison.found.tables.find(table.name);
        if (there == comparison.found.tables.end())
            make_table(structure, table);
        else
            TRY(change_table(structure, comparison, table));
    }
    for (const auto& found : comparison.found.tables) {
        bool desired = std::any_of(comparison.desired.tables.begin(), comparison.desired.tables.end(),
                                   [&](const Table& one) { return one.name == found.first; });
        if (!desired) leave_table(structure, found.first, found.second);
    }
    add_references_and_refill(structure, comparison);
    plan.leftovers = std::move(structure.leftovers);
    plan.obstacles = std::move(structure.obstacles);
    change_roles(plan, comparison);
    bool same = comparison.found.fingerprint == plan.fingerprint && plan.steps.empty();
    if (same && structure.steps.empty()) return plan;
    forget_rules(plan, comparison);
    plan.steps.insert(plan.steps.end(), structure.steps.begin(), structure.steps.end());
    make_rules(plan, comparison);
    revoke_gone(plan, comparison);
    return plan;
}

}  // namespace integreat::collections
