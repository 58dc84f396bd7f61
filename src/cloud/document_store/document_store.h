// SPDX-License-Identifier: Apache-2.0
// Persistent storage for the small services of the local cloud (users, roles, pools, parameters): few
// objects, read often and written rarely. Each is one JSON document, identified by kind and name, in one
// SQLite file. Services keep their documents in memory and write here first, so an acknowledged change is on
// disk.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "cloud/sqlite/sqlite.h"

namespace integreat::cloud {

struct StoredDocument {
    std::string kind;  // "iam:role"
    std::string name;
    boost::json::object content;
};

// An upsert, or a deletion if there is no content.
struct DocumentChange {
    std::string kind;
    std::string name;
    std::optional<boost::json::object> content;
};

class DocumentStore {
public:
    static Result<std::unique_ptr<DocumentStore>> open(const std::string& folder);

    // Returns all documents of a kind, ordered by name.
    Result<std::vector<StoredDocument>> list(const std::string& kind);
    // Applies all changes in one transaction.
    Result<> apply(std::span<const DocumentChange> changes);

private:
    explicit DocumentStore(std::unique_ptr<sqlite::Store> store) : store_(std::move(store)) {}

    std::unique_ptr<sqlite::Store> store_;
};

}  // namespace integreat::cloud
