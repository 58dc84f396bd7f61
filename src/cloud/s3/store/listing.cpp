// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/store/listing.h"

#include <optional>

namespace integreat::s3 {

namespace {

// The first text after all that start with `prefix`; nothing if there is none.
std::optional<std::string> after_all_of(std::string_view prefix) {
    std::string next(prefix);
    while (!next.empty() && static_cast<unsigned char>(next.back()) == 0xff)
        next.pop_back();
    if (next.empty()) return std::nullopt;
    next.back() = static_cast<char>(static_cast<unsigned char>(next.back()) + 1);
    return next;
}

// What a key is rolled up into: up to and with the first delimiter after the prefix.
std::optional<std::string_view> common_prefix(std::string_view key, const ListingScope& scope) {
    if (scope.delimiter.empty()) return std::nullopt;
    auto at = key.find(scope.delimiter, scope.prefix.size());
    if (at == std::string_view::npos) return std::nullopt;
    return key.substr(0, at + scope.delimiter.size());
}

// Where a walk goes on: at `key`, and of that key only what comes after `sequence`.
struct Position {
    std::string key;
    std::optional<std::int64_t> after;  // A sequence or the number of an upload.
};

// Where a page begins that continues after `after`; nothing if no key can follow.
std::optional<Position> start_of(const ListingScope& scope, std::string_view after) {
    Position start{.key = std::string(scope.prefix), .after = {}};
    if (after.empty()) return start;
    // A common prefix was shown: what lies below it was, too.
    if (auto shown = common_prefix(after, scope); shown && after.starts_with(scope.prefix)) {
        auto next = after_all_of(*shown);
        if (!next) return std::nullopt;
        if (*next > start.key) start.key = *std::move(next);
        return start;
    }
    auto next = std::string(after) + '\0';  // The smallest text that is greater.
    if (next > start.key) start.key = std::move(next);
    return start;
}

// Fills a page from walks that begin at a position each: a walk ends where a common prefix begins, and the
// next begins behind it.
template <class Entry, class Begin, class Read>
Result<Page<Entry>> fill(const ListingScope& scope, std::optional<Position> position, const Begin& begin,
                         const Read& read) {
    Page<Entry> page;
    auto count_max = static_cast<std::size_t>(scope.count_max);
    auto full = [&] { return page.entries.size() + page.prefixes.size() == count_max; };
    if (count_max == 0) return page;
    while (position) {
        sqlite::Statement rows = TRY(begin(*position));
        position.reset();
        while (!position) {
            if (!TRY(rows.step())) return page;
            auto key = rows.view(0);
            if (!key.starts_with(scope.prefix)) return page;
            if (full()) {
                page.truncated = true;
                return page;
            }
            if (auto rolled = common_prefix(key, scope)) {
                page.prefixes.emplace_back(*rolled);
                page.last = *rolled;
                auto next = after_all_of(*rolled);
                if (!next) return page;
                position = Position{.key = *std::move(next), .after = {}};
            } else {
                page.last = key;
                page.entries.push_back(read(rows));
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
    auto begin = [&](const Position& at) { return transaction.query(sql, scope.bucket, at.key); };
    return fill<Version>(scope, start_of(scope, after), begin, object_of);
}

Result<Page<Version>> list_versions(sqlite::Transaction& transaction, const ListingScope& scope,
                                    std::string_view after, VersionName version) {
    static const std::string columns = "SELECT " + std::string(object_columns) + " FROM objects ";
    static const std::string from_key = columns + "WHERE bucket = ? AND key >= ? ORDER BY key, sequence DESC";
    static const std::string from_version =
        columns +
        "WHERE bucket = ?1 AND key >= ?2 AND (key > ?2 OR sequence < ?3) ORDER BY key, sequence DESC";
    auto start = start_of(scope, after);
    if (version && after >= scope.prefix && !common_prefix(after, scope)) {
        // The version itself may be gone: clients delete page by page.
        auto sequence = sequence_of(*version);
        if (!sequence && *version != "null") return Error{Fault::invalid, "Invalid version id specified"};
        start = Position{.key = std::string(after), .after = sequence};
        if (!sequence) {
            auto shown = TRY(find_object(transaction, scope.bucket, after, version));
            if (shown) start->after = shown->sequence;
        }
    }
    auto begin = [&](const Position& at) {
        return at.after ? transaction.query(from_version, scope.bucket, at.key, *at.after)
                        : transaction.query(from_key, scope.bucket, at.key);
    };
    return fill<Version>(scope, std::move(start), begin, object_of);
}

Result<Page<Upload>> list_uploads(sqlite::Transaction& transaction, const ListingScope& scope,
                                  std::string_view after, std::string_view upload_id) {
    static const std::string columns = "SELECT " + std::string(upload_columns) + " FROM uploads ";
    static const std::string from_key = columns + "WHERE bucket = ? AND key >= ? ORDER BY key, upload";
    static const std::string from_upload =
        columns + "WHERE bucket = ?1 AND key >= ?2 AND (key > ?2 OR upload > ?3) ORDER BY key, upload";
    auto start = start_of(scope, after);
    if (auto shown = sequence_of(upload_id); shown && after >= scope.prefix && !common_prefix(after, scope))
        start = Position{.key = std::string(after), .after = shown};
    auto begin = [&](const Position& at) {
        return at.after ? transaction.query(from_upload, scope.bucket, at.key, *at.after)
                        : transaction.query(from_key, scope.bucket, at.key);
    };
    return fill<Upload>(scope, std::move(start), begin, upload_of);
}

}  // namespace integreat::s3
