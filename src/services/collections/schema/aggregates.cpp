// SPDX-License-Identifier: Apache-2.0
// Fields that are computed over the records that refer to theirs: brought up to date by a trigger after
// each statement that changes those, in the same transaction. The records to be computed are locked first,
// in the order of their ids, and read again afterwards, so that of two changes at once the later one sees
// the earlier.
#include <map>

#include <fmt/format.h>

#include "postgres/driver/identifier.h"
#include "services/collections/schema/table_definitions.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

using postgres::quote_identifier;

std::string aggregate_of(const Field::Rollup& rollup) {
    auto value = "c." + quote_identifier(rollup.value);
    if (rollup.operation == "count") return "count(c.\"id\")";
    if (rollup.operation == "sum") return "coalesce(sum(" + value + "), 0)";
    if (rollup.operation != "wavg") return rollup.operation + "(" + value + ")";
    auto weight = "c." + quote_identifier(rollup.weight);
    return fmt::format("sum({0} * {1}) / nullif(sum({1}) FILTER (WHERE {0} IS NOT NULL), 0)", value, weight);
}

// The computed fields of one collection that are computed over the same reference of another.
struct Computed {
    const Collection* of = nullptr;
    const Collection* over = nullptr;
    std::string reference;
    std::vector<const Field*> fields;
};

// UPDATE of the records whose ids `ids` selects.
std::string refill_sql(const Computed& computed, const std::string& ids) {
    std::string set, aggregates, kept, fresh;
    for (const auto* field : computed.fields) {
        auto column = quote_identifier(field->name);
        auto comma = set.empty() ? "" : ", ";
        set += fmt::format("{}{} = r.{}", comma, column, column);
        aggregates += fmt::format(", ({})::{} AS {}", aggregate_of(*field->rollup), type_of(*field), column);
        kept += fmt::format("{}p.{}", comma, column);
        fresh += fmt::format("{}r.{}", comma, column);
    }
    auto living = computed.over->soft_delete ? " AND c.deleted_at IS NULL" : "";
    return fmt::format(
        "UPDATE {} AS p SET {} FROM (SELECT s.id{} FROM ({}) AS s(id) LEFT JOIN {} AS c ON "
        "c.{} = s.id{} GROUP BY s.id) AS r WHERE p.\"id\" = r.id AND ({}) IS DISTINCT FROM ({})",
        table_of(computed.of->name), set, aggregates, ids, table_of(computed.over->name),
        quote_identifier(computed.reference), living, kept, fresh);
}

// The records whose fields may have changed; nothing if only others have.
std::string affected_sql(const Computed& computed) {
    auto reference = quote_identifier(computed.reference);
    std::string parts = reference;
    for (const auto* field : computed.fields) {
        for (const auto& name : {field->rollup->value, field->rollup->weight}) {
            if (!name.empty()) parts += ", " + quote_identifier(name);
        }
    }
    if (computed.over->soft_delete) parts += ", deleted_at";
    auto one = [&](std::string_view rows) {
        return fmt::format("SELECT {} AS id FROM {} AS x", reference, rows);
    };
    auto one_way = [&](std::string_view from, std::string_view without) {
        return fmt::format(
            "SELECT {} AS id FROM (SELECT \"id\", {} FROM {} EXCEPT SELECT \"id\", {} FROM {}) AS x",
            reference, parts, from, parts, without);
    };
    auto collect = [](const std::string& ids) {
        return "SELECT array_agg(DISTINCT a.id ORDER BY a.id) INTO affected FROM (" + ids +
               ") AS a WHERE a.id IS NOT NULL;\n";
    };
    return "IF TG_OP = 'INSERT' THEN\n" + collect(one("new_rows")) + "ELSIF TG_OP = 'DELETE' THEN\n" +
           collect(one("old_rows")) + "ELSE\n" +
           collect(one_way("new_rows", "old_rows") + " UNION ALL " + one_way("old_rows", "new_rows")) +
           "END IF;\n";
}

void add_triggers(Desired& desired, const Computed& computed, const std::string& function,
                  const std::string& name) {
    struct Event {
        std::string_view name, tables;
    };
    for (const auto& [event, tables] :
         {Event{"INSERT", "NEW TABLE AS new_rows"}, Event{"DELETE", "OLD TABLE AS old_rows"},
          Event{"UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"}}) {
        auto trigger = identifier_within_limit(fmt::format("{}_{}", name, event));
        desired.triggers.push_back(fmt::format(
            "CREATE TRIGGER {} AFTER {} ON {} REFERENCING {} FOR EACH STATEMENT EXECUTE FUNCTION {}()",
            quote_identifier(trigger), event, table_of(computed.over->name), tables, function));
    }
}

}  // namespace

void add_rollups(Desired& desired, const Model& model, const Collection& collection) {
    std::map<std::string, Computed> all;
    for (const auto& field : collection.fields) {
        if (!field.rollup) continue;
        auto& computed = all[field.rollup->collection + "." + field.rollup->reference];
        computed.of = &collection;
        computed.over = model.find(field.rollup->collection);
        computed.reference = field.rollup->reference;
        computed.fields.push_back(&field);
        auto table = std::find_if(desired.tables.begin(), desired.tables.end(),
                                  [&](const Table& one) { return one.name == collection.name; });
        Computed alone{&collection, computed.over, computed.reference, {&field}};
        table->refills.push_back(
            {field.name, refill_sql(alone, "SELECT \"id\" FROM " + table_of(collection.name))});
    }
    for (const auto& [over, computed] : all) {
        auto name = identifier_within_limit("rollup_" + collection.name + "." + over);
        auto function = "integreat." + quote_identifier(name);
        desired.functions.push_back(fmt::format(
            "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            "SET search_path = pg_catalog, pg_temp AS $rollup$\nDECLARE\naffected uuid[];\nBEGIN\n{}"
            "IF affected IS NULL THEN RETURN NULL; END IF;\n"
            "PERFORM FROM {} AS p WHERE p.\"id\" = ANY (affected) ORDER BY p.\"id\" FOR NO KEY UPDATE;\n"
            "{};\nRETURN NULL;\nEND $rollup$",
            function, affected_sql(computed), table_of(collection.name),
            refill_sql(computed, "SELECT unnest(affected)")));
        desired.functions.push_back("REVOKE EXECUTE ON FUNCTION " + function + "() FROM PUBLIC");
        add_triggers(desired, computed, function, name);
    }
}

}  // namespace integreat::collections
