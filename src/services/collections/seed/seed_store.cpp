// SPDX-License-Identifier: Apache-2.0
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "postgres/driver/identifier.h"
#include "services/collections/seed/seed.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

// Under this name the record of changes, and created_by, know who made all this.
constexpr std::string_view sower = "seed";

Result<std::string> collection_with_records(postgres::Transaction& transaction, const Model& model) {
    for (const auto& collection : model.collections) {
        auto rows =
            TRY(transaction.execute(fmt::format("SELECT FROM {} LIMIT 1", table_of(collection.name))));
        if (!rows.empty()) return collection.name;
    }
    return std::string();
}

Result<> clear(postgres::Transaction& transaction, const Model& model) {
    std::string tables;
    for (const auto& collection : model.collections)
        tables += (tables.empty() ? "" : ", ") + table_of(collection.name);
    TRY(transaction.execute("TRUNCATE " + tables));
    return {};
}

Result<> insert(postgres::Transaction& transaction, const Grown& bed) {
    std::string columns;
    for (const auto& column : bed.columns)
        columns += (columns.empty() ? "" : ", ") + postgres::quote_identifier(column);
    auto table = table_of(bed.collection->name);
    auto sql =
        fmt::format("INSERT INTO {0} ({1}) SELECT {1} FROM jsonb_populate_recordset(NULL::{0}, $1::jsonb)",
                    table, columns);
    auto inserted = transaction.execute(sql, {boost::json::serialize(bed.records)});
    if (inserted) return {};
    auto error = std::move(inserted).error();
    error.message =
        fmt::format("the records of {} don't fit their table: {}", bed.collection->name, error.message);
    return error;
}

}  // namespace

Result<> sow(postgres::Pool& owner, const Model& model, const std::vector<Grown>& beds, Sowing sowing,
             Monotonic deadline) {
    auto transaction = TRY(owner.begin(model.app, deadline));
    TRY(transaction.execute("SELECT set_config('integreat.uid', $1, true)", {std::string(sower)}));
    if (sowing == Sowing::anew) {
        TRY(clear(transaction, model));
    } else if (auto name = TRY(collection_with_records(transaction, model)); !name.empty()) {
        return Error{
            Fault::conflict,
            fmt::format("{} has records already, in {}: --again replaces all of them", model.app.text, name),
            ""};
    }
    for (const auto& bed : beds)
        TRY(insert(transaction, bed));
    return transaction.commit();
}

}  // namespace integreat::collections
