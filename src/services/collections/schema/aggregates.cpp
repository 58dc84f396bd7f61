// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/aggregates.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "postgres/driver/identifier.h"
#include "services/collections/schema/table_definitions.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;

std::string rollup_expression(const Rollup& rollup) {
    auto value = "c." + quote_identifier(rollup.value);
    if (rollup.operation == "count") return "count(c.\"id\")";
    if (rollup.operation == "sum") return "coalesce(sum(" + value + "), 0)";
    if (rollup.operation != "wavg") return rollup.operation + "(" + value + ")";
    auto weight = "c." + quote_identifier(rollup.weight);
    return fmt::format("sum({0} * {1}) / nullif(sum({1}) FILTER (WHERE {0} IS NOT NULL), 0)", value, weight);
}

// Rollup fields of one collection that aggregate over the same reference of another.
struct RollupGroup {
    const Collection* collection = nullptr;
    const Collection* source = nullptr;
    std::string reference;
    std::vector<const Field*> fields;
};

// Updates the records whose IDs `ids` selects.
std::string backfill_sql(const RollupGroup& group, const std::string& ids) {
    std::string set, aggregates, current, computed;
    for (const auto* field : group.fields) {
        auto column = quote_identifier(field->name);
        auto comma = set.empty() ? "" : ", ";
        set += fmt::format("{}{} = r.{}", comma, column, column);
        aggregates +=
            fmt::format(", ({})::{} AS {}", rollup_expression(*field->rollup), column_type(*field), column);
        current += fmt::format("{}p.{}", comma, column);
        computed += fmt::format("{}r.{}", comma, column);
    }
    auto not_deleted = group.source->soft_delete ? " AND c.deleted_at IS NULL" : "";
    return fmt::format(
        "UPDATE {} AS p SET {} FROM (SELECT s.id{} FROM ({}) AS s(id) LEFT JOIN {} AS c ON "
        "c.{} = s.id{} GROUP BY s.id) AS r WHERE p.\"id\" = r.id AND ({}) IS DISTINCT FROM ({})",
        qualified_table(group.collection->name), set, aggregates, ids, qualified_table(group.source->name),
        quote_identifier(group.reference), not_deleted, current, computed);
}

// Collects the records whose rollup fields may have changed; none if only other columns changed.
std::string affected_sql(const RollupGroup& group) {
    auto reference = quote_identifier(group.reference);
    std::string columns = reference;
    for (const auto* field : group.fields) {
        for (const auto& name : {field->rollup->value, field->rollup->weight}) {
            if (!name.empty()) columns += ", " + quote_identifier(name);
        }
    }
    if (group.source->soft_delete) columns += ", deleted_at";
    auto one = [&](std::string_view rows) {
        return fmt::format("SELECT {} AS id FROM {} AS x", reference, rows);
    };
    auto removed_rows = [&](std::string_view from, std::string_view without) {
        return fmt::format(
            "SELECT {} AS id FROM (SELECT \"id\", {} FROM {} EXCEPT SELECT \"id\", {} FROM {}) AS x",
            reference, columns, from, columns, without);
    };
    auto collect = [](const std::string& ids) {
        return "SELECT array_agg(DISTINCT a.id ORDER BY a.id) INTO affected FROM (" + ids +
               ") AS a WHERE a.id IS NOT NULL;\n";
    };
    return "IF TG_OP = 'INSERT' THEN\n" + collect(one("new_rows")) + "ELSIF TG_OP = 'DELETE' THEN\n" +
           collect(one("old_rows")) + "ELSE\n" +
           collect(removed_rows("new_rows", "old_rows") + " UNION ALL " +
                   removed_rows("old_rows", "new_rows")) +
           "END IF;\n";
}

void add_statement_triggers(TargetSchema& target, const RollupGroup& group, const std::string& function,
                            const std::string& name) {
    struct Event {
        std::string_view name, tables;
    };
    for (const auto& [event, tables] :
         {Event{"INSERT", "NEW TABLE AS new_rows"}, Event{"DELETE", "OLD TABLE AS old_rows"},
          Event{"UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"}}) {
        auto trigger = truncate_identifier(fmt::format("{}_{}", name, event));
        target.triggers.push_back(fmt::format(
            "CREATE TRIGGER {} AFTER {} ON {} REFERENCING {} FOR EACH STATEMENT EXECUTE FUNCTION {}()",
            quote_identifier(trigger), event, qualified_table(group.source->name), tables, function));
    }
}

}  // namespace

void add_rollup_triggers(TargetSchema& target, const Model& model, const Collection& collection) {
    std::map<std::string, RollupGroup> groups;
    for (const auto& field : collection.fields) {
        if (!field.rollup) continue;
        auto& group = groups[field.rollup->collection + "." + field.rollup->reference];
        group.collection = &collection;
        group.source = model.find(field.rollup->collection);
        group.reference = field.rollup->reference;
        group.fields.push_back(&field);
        auto table = std::find_if(target.tables.begin(), target.tables.end(),
                                  [&](const Table& one) { return one.name == collection.name; });
        RollupGroup single{&collection, group.source, group.reference, {&field}};
        table->backfills.push_back(
            {field.name, backfill_sql(single, "SELECT \"id\" FROM " + qualified_table(collection.name))});
    }
    for (const auto& [source, group] : groups) {
        auto name = truncate_identifier("rollup_" + collection.name + "." + source);
        auto function = "integreat." + quote_identifier(name);
        target.functions.push_back(fmt::format(
            "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            "SET search_path = pg_catalog, pg_temp AS $rollup$\nDECLARE\naffected uuid[];\nBEGIN\n{}"
            "IF affected IS NULL THEN RETURN NULL; END IF;\n"
            "PERFORM FROM {} AS p WHERE p.\"id\" = ANY (affected) ORDER BY p.\"id\" FOR NO KEY UPDATE;\n"
            "{};\nRETURN NULL;\nEND $rollup$",
            function, affected_sql(group), qualified_table(collection.name),
            backfill_sql(group, "SELECT unnest(affected)")));
        target.functions.push_back("REVOKE EXECUTE ON FUNCTION " + function + "() FROM PUBLIC");
        add_statement_triggers(target, group, function, name);
    }
}

}  // namespace integreat::collections
