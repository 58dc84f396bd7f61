// SPDX-License-Identifier: Apache-2.0
#include "cloud/document_store/document_store.h"

#include <boost/json/serialize.hpp>

#include "json/value/parse.h"

namespace integreat::cloud {

namespace {

constexpr const char* first = R"(
CREATE TABLE records (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
)";
constexpr const char* steps[] = {first};

constexpr std::size_t content_bytes_max = 16 * 1024 * 1024;  // A mail with its attachments.

}  // namespace

Result<std::unique_ptr<Records>> Records::open(const std::string& folder) {
    auto store = TRY(sqlite::Store::open(folder, {.contents = "records of the local cloud",
                                                  .file = "cloud.sqlite",
                                                  .application_id = 0x49544352,  // "ITCR"
                                                  .steps = steps}));
    return std::unique_ptr<Records>(new Records(std::move(store)));
}

Result<std::vector<Record>> Records::list(const std::string& kind) {
    auto transaction = TRY(store_->read());
    auto rows =
        TRY(transaction.query("SELECT name, content FROM records WHERE kind = ? ORDER BY name", kind));
    std::vector<Record> records;
    while (TRY(rows.step())) {
        auto content = json::parse_object(rows.view(1), {.bytes_max = content_bytes_max});
        if (!content) {
            return Error{Fault::internal, "a record of the local cloud cannot be read",
                         kind + " " + rows.text(0) + ": " + content.error().message};
        }
        records.push_back({kind, rows.text(0), std::move(*content)});
    }
    return records;
}

Result<> Records::apply(std::span<const Change> changes) {
    auto transaction = TRY(store_->write());
    for (const auto& change : changes) {
        if (change.content) {
            TRY(
                transaction.execute("INSERT INTO records (kind, name, content) VALUES (?, ?, ?)"
                                    " ON CONFLICT (kind, name) DO UPDATE SET content = excluded.content",
                                    change.kind, change.name, boost::json::serialize(*change.content)));
        } else {
            TRY(transaction.execute("DELETE FROM records WHERE kind = ? AND name = ?", change.kind,
                                    change.name));
        }
    }
    return transaction.commit();
}

}  // namespace integreat::cloud
