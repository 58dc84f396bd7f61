// SPDX-License-Identifier: Apache-2.0
#include "services/collections/seed/seed_store.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "postgres/driver/identifier.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

// Uid of the seed in the change history and in created_by.
constexpr std::string_view seed_uid = "seed";

Result<std::string> collection_with_records(postgres::Transaction& transaction, const Model& model) {
    for (const auto& collection : model.collections) {
        auto rows =
            TRY(transaction.execute(fmt::format("SELECT FROM {} LIMIT 1", qualified_table(collection.name))));
        if (!rows.empty()) return collection.name;
    }
    return std::string();
}

Result<> clear(postgres::Transaction& transaction, const Model& model) {
    std::string tables;
    for (const auto& collection : model.collections)
        tables += (tables.empty() ? "" : ", ") + qualified_table(collection.name);
    TRY(transaction.execute("TRUNCATE " + tables));
    return {};
}

Result<> insert(postgres::Transaction& transaction, const GeneratedRows& batch) {
    std::string columns;
    for (const auto& column : batch.columns)
        columns += (columns.empty() ? "" : ", ") + postgres::quote_identifier(column);
    auto table = qualified_table(batch.collection->name);
    auto sql =
        fmt::format("INSERT INTO {0} ({1}) SELECT {1} FROM jsonb_populate_recordset(NULL::{0}, $1::jsonb)",
                    table, columns);
    auto inserted = transaction.execute(sql, {boost::json::serialize(batch.records)});
    if (inserted) return {};
    auto error = std::move(inserted).error();
    error.message =
        fmt::format("the records of {} do not fit their table: {}", batch.collection->name, error.message);
    return error;
}

}  // namespace

Result<> insert_seed(postgres::Pool& owner, const Model& model, const std::vector<GeneratedRows>& batches,
                     SeedMode mode, Monotonic deadline) {
    auto transaction = TRY(owner.begin(model.app, deadline));
    TRY(transaction.execute("SELECT set_config('integreat.uid', $1, true)", {std::string(seed_uid)}));
    if (mode == SeedMode::replace) {
        TRY(clear(transaction, model));
    } else if (auto name = TRY(collection_with_records(transaction, model)); !name.empty()) {
        return Error{Fault::conflict,
                     fmt::format("{} already has records in {}: use --again to replace all of them",
                                 model.app.text, name),
                     ""};
    }
    for (const auto& batch : batches)
        TRY(insert(transaction, batch));
    return transaction.commit();
}

}  // namespace integreat::collections
