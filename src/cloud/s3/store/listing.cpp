// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/store/listing.h"

#include <optional>

namespace integreat::s3 {

namespace {

// Returns the smallest text greater than all texts with the prefix; nothing if there is none.
std::optional<std::string> prefix_upper_bound(std::string_view prefix) {
    std::string next(prefix);
    while (!next.empty() && static_cast<unsigned char>(next.back()) == 0xff)
        next.pop_back();
    if (next.empty()) return std::nullopt;
    next.back() = static_cast<char>(static_cast<unsigned char>(next.back()) + 1);
    return next;
}

// Returns the common prefix of a key: up to and including the first delimiter after the prefix.
std::optional<std::string_view> common_prefix(std::string_view key, const ListingScope& scope) {
    if (scope.delimiter.empty()) return std::nullopt;
    auto at = key.find(scope.delimiter, scope.prefix.size());
    if (at == std::string_view::npos) return std::nullopt;
    return key.substr(0, at + scope.delimiter.size());
}

// The position of a scan: at `key`, skipping entries of that key up to and including `after`.
struct ScanPosition {
    std::string key;
    std::optional<std::int64_t> after;  // Sequence of a version or number of an upload.
};

// Returns the start of a page that continues after `after`; nothing if no key can follow.
std::optional<ScanPosition> page_start(const ListingScope& scope, std::string_view after) {
    ScanPosition start{.key = std::string(scope.prefix), .after = {}};
    if (after.empty()) return start;
    // `after` is a common prefix, or its key is covered by one: skip everything below it.
    if (auto prefix = common_prefix(after, scope); prefix && after.starts_with(scope.prefix)) {
        auto next = prefix_upper_bound(*prefix);
        if (!next) return std::nullopt;
        if (*next > start.key) start.key = *std::move(next);
        return start;
    }
    auto next = std::string(after) + '\0';  // The smallest text that is greater.
    if (next > start.key) start.key = std::move(next);
    return start;
}

// Fills a page with one or more scans: a scan ends at a common prefix, and the next begins after it.
template <class Entry, class Begin, class Read>
Result<Page<Entry>> fill_page(const ListingScope& scope, std::optional<ScanPosition> position,
                              const Begin& begin_scan, const Read& read_entry) {
    Page<Entry> page;
    auto count_max = static_cast<std::size_t>(scope.count_max);
    auto full = [&] { return page.entries.size() + page.prefixes.size() == count_max; };
    if (count_max == 0) return page;
    while (position) {
        sqlite::Statement rows = TRY(begin_scan(*position));
        position.reset();
        while (!position) {
            if (!TRY(rows.step())) return page;
            auto key = rows.view(0);
            if (!key.starts_with(scope.prefix)) return page;
            if (full()) {
                page.truncated = true;
                return page;
            }
            if (auto common = common_prefix(key, scope)) {
                page.prefixes.emplace_back(*common);
                page.last = *common;
                auto next = prefix_upper_bound(*common);
                if (!next) return page;
                position = ScanPosition{.key = *std::move(next), .after = {}};
            } else {
                page.last = key;
                page.entries.push_back(read_entry(rows));
            }
        }
    }
    return page;
}

}  // namespace

Result<Page<Version>> list_objects(sqlite::Transaction& transaction, const ListingScope& scope,
                                   std::string_view after) {
    static const std::string sql = "SELECT " + std::string(object_columns) +
                                   " FROM objects INDEXED BY objects_shown "
                                   "WHERE bucket = ? AND key >= ? AND latest = 1 AND marker = 0 ORDER BY key";
    auto begin_scan = [&](const ScanPosition& at) { return transaction.query(sql, scope.bucket, at.key); };
    return fill_page<Version>(scope, page_start(scope, after), begin_scan, read_version);
}

Result<Page<Version>> list_versions(sqlite::Transaction& transaction, const ListingScope& scope,
                                    std::string_view after, RequestedVersion version) {
    static const std::string columns = "SELECT " + std::string(object_columns) + " FROM objects ";
    static const std::string from_key = columns + "WHERE bucket = ? AND key >= ? ORDER BY key, sequence DESC";
    static const std::string from_version =
        columns +
        "WHERE bucket = ?1 AND key >= ?2 AND (key > ?2 OR sequence < ?3) ORDER BY key, sequence DESC";
    auto start = page_start(scope, after);
    if (version && after >= scope.prefix && !common_prefix(after, scope)) {
        // The version itself may have been deleted, because clients delete page by page.
        auto sequence = parse_version_id(*version);
        if (!sequence && *version != "null") return Error{Fault::invalid, "Invalid version id specified"};
        start = ScanPosition{.key = std::string(after), .after = sequence};
        if (!sequence) {
            auto current = TRY(find_object(transaction, scope.bucket, after, version));
            if (current) start->after = current->sequence;
        }
    }
    auto begin_scan = [&](const ScanPosition& at) {
        return at.after ? transaction.query(from_version, scope.bucket, at.key, *at.after)
                        : transaction.query(from_key, scope.bucket, at.key);
    };
    return fill_page<Version>(scope, std::move(start), begin_scan, read_version);
}

Result<Page<Upload>> list_uploads(sqlite::Transaction& transaction, const ListingScope& scope,
                                  std::string_view after, std::string_view upload_id) {
    static const std::string columns = "SELECT " + std::string(upload_columns) + " FROM uploads ";
    static const std::string from_key = columns + "WHERE bucket = ? AND key >= ? ORDER BY key, upload";
    static const std::string from_upload =
        columns + "WHERE bucket = ?1 AND key >= ?2 AND (key > ?2 OR upload > ?3) ORDER BY key, upload";
    auto start = page_start(scope, after);
    if (auto number = parse_version_id(upload_id);
        number && after >= scope.prefix && !common_prefix(after, scope))
        start = ScanPosition{.key = std::string(after), .after = number};
    auto begin_scan = [&](const ScanPosition& at) {
        return at.after ? transaction.query(from_upload, scope.bucket, at.key, *at.after)
                        : transaction.query(from_key, scope.bucket, at.key);
    };
    return fill_page<Upload>(scope, std::move(start), begin_scan, read_upload);
}

}  // namespace integreat::s3
