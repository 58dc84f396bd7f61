// SPDX-License-Identifier: Apache-2.0
// Paged listings of keys, versions and uploads, ordered by the UTF-8 bytes of the keys. The cost of a page is
// proportional to its size: keys are found by the index, and keys with a common prefix are skipped by a seek.
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
    int count_max = 1000;  // Maximum number of entries and common prefixes together.
};

template <class Entry>
struct Page {
    std::vector<Entry> entries;
    std::vector<std::string> prefixes;
    bool truncated = false;
    std::string last;  // The last key or common prefix of a truncated page; the next page begins after it.
};

// Lists keys after `after`, a key or a common prefix whose keys are all skipped.
Result<Page<Version>> list_objects(sqlite::Transaction& transaction, const ListingScope& scope,
                                   std::string_view after);

// Lists versions and delete markers after `version` of the key `after`; without a version, after all of that
// key.
Result<Page<Version>> list_versions(sqlite::Transaction& transaction, const ListingScope& scope,
                                    std::string_view after, RequestedVersion version);

// Lists multipart uploads after `upload_id` of the key `after`; if it is empty, after all of that key.
Result<Page<Upload>> list_uploads(sqlite::Transaction& transaction, const ListingScope& scope,
                                  std::string_view after, std::string_view upload_id);

}  // namespace integreat::s3
