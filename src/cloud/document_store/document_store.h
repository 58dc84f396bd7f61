// SPDX-License-Identifier: Apache-2.0
// What the small services of the local cloud keep (users, roles, pools, parameters, …): few things, read all
// the time and written seldom. Each is one JSON object under its kind and name in one SQLite file. Services
// hold theirs in memory and write here first; what was answered is on the disk.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "cloud/sqlite/sqlite.h"

namespace integreat::cloud {

struct Record {
    std::string kind;  // "iam:role"
    std::string name;
    boost::json::object content;
};

// Save or, without a content, remove.
struct Change {
    std::string kind;
    std::string name;
    std::optional<boost::json::object> content;
};

class Records {
public:
    static Result<std::unique_ptr<Records>> open(const std::string& folder);

    // In the order of their names.
    Result<std::vector<Record>> list(const std::string& kind);
    // All of them or none.
    Result<> apply(std::span<const Change> changes);

private:
    explicit Records(std::unique_ptr<sqlite::Store> store) : store_(std::move(store)) {}

    std::unique_ptr<sqlite::Store> store_;
};

}  // namespace integreat::cloud
