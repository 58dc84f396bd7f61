// SPDX-License-Identifier: Apache-2.0
// Pages of keys, versions and uploads, in the order of the keys' UTF-8 bytes. A page costs what it shows:
// keys are found by the index, and what a delimiter rolls up into one prefix is jumped over, not walked.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cloud/s3/store/queries.h"

namespace integreat::s3 {

struct ListingScope {
    std::int64_t bucket = 0;
    std::string_view prefix;
    std::string_view delimiter;
    int count_max = 1000;  // Entries and common prefixes together.
};

template <class Entry>
struct Page {
    std::vector<Entry> entries;
    std::vector<std::string> prefixes;
    bool truncated = false;
    std::string last;  // The last key or common prefix of a truncated page: the next one begins after it.
};

// Keys after `after`, which may be a key or a common prefix (all below it is skipped then).
Result<Page<Version>> list_objects(sqlite::Transaction& transaction, const ListingScope& scope,
                                   std::string_view after);

// Versions and delete markers after the version `version` of `after`; of no version: after all of that key.
Result<Page<Version>> list_versions(sqlite::Transaction& transaction, const ListingScope& scope,
                                    std::string_view after, VersionName version);

// Uploads in parts after the upload `upload_id` of `after`; empty: after all of that key.
Result<Page<Upload>> list_uploads(sqlite::Transaction& transaction, const ListingScope& scope,
                                  std::string_view after, std::string_view upload_id);

}  // namespace integreat::s3
