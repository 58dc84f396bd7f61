// SPDX-License-Identifier: Apache-2.0
#include "cloud/document_store/document_store.h"

#include <boost/json/serialize.hpp>

#include "json/value/parse.h"

namespace integreat::cloud {

namespace {

constexpr const char* create_tables = R"(
CREATE TABLE records (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
)";
constexpr const char* migrations[] = {create_tables};

constexpr std::size_t content_bytes_max = 16 * 1024 * 1024;  // In bytes: a mail with its attachments.

}  // namespace

Result<std::unique_ptr<DocumentStore>> DocumentStore::open(const std::string& folder) {
    auto store = TRY(sqlite::Store::open(folder, {.contents = "documents of the local cloud",
                                                  .file = "cloud.sqlite",
                                                  .application_id = 0x49544352,  // "ITCR"
                                                  .migrations = migrations}));
    return std::unique_ptr<DocumentStore>(new DocumentStore(std::move(store)));
}

Result<std::vector<StoredDocument>> DocumentStore::list(const std::string& kind) {
    auto transaction = TRY(store_->read());
    auto rows =
        TRY(transaction.query("SELECT name, content FROM records WHERE kind = ? ORDER BY name", kind));
    std::vector<StoredDocument> documents;
    while (TRY(rows.step())) {
        auto content = json::parse_object(rows.view(1), {.max_bytes = content_bytes_max});
        if (!content) {
            return Error{Fault::internal, "a document in the local cloud's data is not valid JSON",
                         kind + " " + rows.text(0) + ": " + content.error().message};
        }
        documents.push_back({kind, rows.text(0), std::move(*content)});
    }
    return documents;
}

Result<> DocumentStore::apply(std::span<const DocumentChange> changes) {
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
