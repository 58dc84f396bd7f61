// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/store/queries.h"

#include <set>
#include <span>

#include "cloud/s3/operations/bucket_settings.h"
#include "crypto/encoding.h"

namespace integreat::s3 {

namespace {

std::int64_t micros(Time time) {
    return time.time_since_epoch().count();
}
Time from_micros(std::int64_t value) {
    return Time(std::chrono::microseconds(value));
}

// Length, colon, text, for names and values in turn.
std::string pack(const Pairs& pairs) {
    std::string packed;
    for (const auto& [name, value] : pairs)
        packed += std::to_string(name.size()) + ":" + name + std::to_string(value.size()) + ":" + value;
    return packed;
}

std::string unpack_text(std::string_view& packed) {
    std::size_t length = 0;
    while (packed.front() != ':') {
        length = length * 10 + static_cast<std::size_t>(packed.front() - '0');
        packed.remove_prefix(1);
    }
    std::string text(packed.substr(1, length));
    packed.remove_prefix(1 + length);
    return text;
}

Pairs unpack(std::string_view packed) {
    Pairs pairs;
    while (!packed.empty()) {
        auto name = unpack_text(packed);
        pairs.emplace_back(std::move(name), unpack_text(packed));
    }
    return pairs;
}

// The blobs of a content go, from the index now and from the disk after the commit.
Result<> drop_blob(Change& change, std::int64_t content, FileNumber blob) {
    auto statement =
        TRY(change.transaction.query("DELETE FROM blobs WHERE blob = ? RETURNING bytes IS NULL", blob));
    if (TRY(statement.step()) && statement.flag(0)) change.removed.push_back({content, blob});
    return {};
}

Result<> drop_content(Change& change, const Version& object) {
    if (object.marker) return {};
    if (object.part_count == 0) return drop_blob(change, object.content, object.content);
    for (const auto& piece : TRY(pieces_of(change.transaction, object.content)))
        TRY(drop_blob(change, object.content, piece.blob));
    TRY(change.transaction.execute("DELETE FROM pieces WHERE content = ?", object.content));
    return {};
}

Result<> remove_version(Change& change, std::int64_t bucket, const Version& object) {
    TRY(change.transaction.execute("DELETE FROM objects WHERE bucket = ? AND key = ? AND sequence = ?",
                                   bucket, object.key, object.sequence));
    return drop_content(change, object);
}

Result<> set_latest(Change& change, std::int64_t bucket, const Version& object, bool latest) {
    TRY(change.transaction.execute(
        "UPDATE objects SET latest = ? WHERE bucket = ? AND key = ? AND sequence = ?", latest, bucket,
        object.key, object.sequence));
    return {};
}

Result<> insert_version(Change& change, std::int64_t bucket, const Version& object) {
    TRY(change.transaction.execute(
        "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", bucket, object.key,
        object.sequence, object.version, object.latest, object.marker, static_cast<std::int64_t>(object.size),
        micros(object.modified), object.etag, object.content, std::int64_t{object.part_count},
        object.storage_class, static_cast<std::int64_t>(object.checksum.kind), object.checksum.text,
        object.checksum.composite, pack(object.headers), pack(object.tags)));
    return {};
}

Result<> load_settings(sqlite::Transaction& transaction, Bucket& bucket) {
    auto statement =
        TRY(transaction.query("SELECT name, document FROM bucket_settings WHERE bucket = ?", bucket.id));
    while (TRY(statement.step()))
        bucket.settings[statement.text(0)] = statement.text(1);
    return {};
}

constexpr std::string_view select_buckets =
    "SELECT bucket, name, region, created_us, versioning FROM buckets ";

Bucket bucket_of(const sqlite::Statement& row) {
    return {.id = row.integer(0),
            .name = row.text(1),
            .region = row.text(2),
            .created = from_micros(row.integer(3)),
            .versioning = static_cast<Versioning>(row.integer(4)),
            .settings = {}};
}

Result<Versioning> versioning_of(sqlite::Transaction& transaction, std::int64_t bucket) {
    auto statement = TRY(transaction.query("SELECT versioning FROM buckets WHERE bucket = ?", bucket));
    if (!TRY(statement.step())) return Error{Fault::not_found, "the bucket is gone"};
    return static_cast<Versioning>(statement.integer(0));
}

}  // namespace

Version object_of(const sqlite::Statement& row) {
    return {.key = row.text(0),
            .sequence = row.integer(1),
            .version = row.text(2),
            .latest = row.flag(3),
            .marker = row.flag(4),
            .size = static_cast<std::uint64_t>(row.integer(5)),
            .modified = from_micros(row.integer(6)),
            .etag = row.text(7),
            .content = row.integer(8),
            .part_count = static_cast<int>(row.integer(9)),
            .storage_class = row.text(10),
            .checksum = {.kind = static_cast<ChecksumKind>(row.integer(11)),
                         .text = row.text(12),
                         .composite = row.flag(13)},
            .headers = unpack(row.view(14)),
            .tags = unpack(row.view(15))};
}

Upload upload_of(const sqlite::Statement& row) {
    return {
        .number = row.integer(1),
        .key = row.text(0),
        .id = row.text(2),
        .started = from_micros(row.integer(3)),
        .initiator = row.text(4),
        .storage_class = row.text(5),
        .checksum = {.kind = static_cast<ChecksumKind>(row.integer(6)), .text = {}, .composite = row.flag(7)},
        .headers = unpack(row.view(8)),
        .tags = unpack(row.view(9))};
}

Result<std::optional<Bucket>> find_bucket(sqlite::Transaction& transaction, std::string_view name) {
    static const std::string sql = std::string(select_buckets) + "WHERE name = ?";
    auto statement = TRY(transaction.query(sql, name));
    if (!TRY(statement.step())) return std::optional<Bucket>();
    auto bucket = bucket_of(statement);
    TRY(load_settings(transaction, bucket));
    return std::optional(std::move(bucket));
}

Result<BucketPointer> find_bucket(Storage& storage, std::string_view name) {
    std::string wanted(name);
    {
        auto cached = storage.buckets.lock();
        if (auto found = cached->find(wanted); found != cached->end()) return found->second;
    }
    // Remembered under the lock of the cache: a change that commits meanwhile clears it after us.
    auto cached = storage.buckets.lock();
    auto transaction = TRY(storage.index->read());
    auto found = TRY(find_bucket(transaction, name));
    if (!found) return BucketPointer();
    read_settings(*found);
    auto bucket = std::make_shared<const Bucket>(*std::move(found));
    cached->insert_or_assign(std::move(wanted), bucket);
    return BucketPointer(bucket);
}

void forget_bucket(Storage& storage, const std::string& name) {
    storage.buckets.lock()->erase(name);
}

Result<std::vector<Bucket>> list_buckets(Storage& storage) {
    static const std::string sql = std::string(select_buckets) + "ORDER BY name";
    auto transaction = TRY(storage.index->read());
    auto statement = TRY(transaction.query(sql));
    std::vector<Bucket> buckets;
    while (TRY(statement.step()))
        buckets.push_back(bucket_of(statement));
    return buckets;
}

Result<> insert_bucket(Change& change, const Bucket& bucket) {
    TRY(change.transaction.execute("INSERT INTO buckets (name, region, created_us) VALUES (?, ?, ?)",
                                   bucket.name, bucket.region, micros(bucket.created)));
    return {};
}

Result<> delete_bucket(Change& change, std::int64_t bucket) {
    {
        auto statement =
            TRY(change.transaction.query("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", bucket));
        if (TRY(statement.step())) return Error{Fault::conflict, "the bucket is not empty"};
    }
    static const std::string sql = "SELECT " + std::string(upload_columns) + " FROM uploads WHERE bucket = ?";
    std::vector<Upload> uploads;
    {
        auto statement = TRY(change.transaction.query(sql, bucket));
        while (TRY(statement.step()))
            uploads.push_back(upload_of(statement));
    }
    for (const auto& upload : uploads)
        TRY(delete_upload(change, upload));
    TRY(change.transaction.execute("DELETE FROM buckets WHERE bucket = ?", bucket));
    return {};
}

Result<> set_versioning(Change& change, std::int64_t bucket, Versioning versioning) {
    TRY(change.transaction.execute("UPDATE buckets SET versioning = ? WHERE bucket = ?",
                                   static_cast<std::int64_t>(versioning), bucket));
    return {};
}

Result<> set_setting(Change& change, std::int64_t bucket, std::string_view name, std::string_view document) {
    if (document.empty()) {
        TRY(change.transaction.execute("DELETE FROM bucket_settings WHERE bucket = ? AND name = ?", bucket,
                                       name));
    } else {
        TRY(change.transaction.execute("INSERT OR REPLACE INTO bucket_settings VALUES (?, ?, ?)", bucket,
                                       name, document));
    }
    return {};
}

Result<std::optional<Version>> find_object(sqlite::Transaction& transaction, std::int64_t bucket,
                                           std::string_view key, VersionName version) {
    static const std::string any =
        "SELECT " + std::string(object_columns) + " FROM objects WHERE bucket = ? AND key = ? ";
    static const std::string newest = any + "ORDER BY sequence DESC LIMIT 1";
    static const std::string unnamed = any + "AND version = ''";
    static const std::string named = any + "AND sequence = ? AND version = ?";
    auto row = [&](Result<sqlite::Statement> found) -> Result<std::optional<Version>> {
        auto statement = TRY(std::move(found));
        if (!TRY(statement.step())) return std::optional<Version>();
        return std::optional(object_of(statement));
    };
    if (!version) return row(transaction.query(newest, bucket, key));
    if (*version == "null") return row(transaction.query(unnamed, bucket, key));
    auto sequence = sequence_of(*version);
    if (!sequence) return std::optional<Version>();
    return row(transaction.query(named, bucket, key, *sequence, *version));
}

std::string version_name(const Version& object) {
    return object.version.empty() ? "null" : object.version;
}

std::optional<std::int64_t> sequence_of(std::string_view version_id) {
    auto bytes = crypto::base64url_decode(version_id);
    if (!bytes || bytes->size() != 24) return std::nullopt;
    std::uint64_t sequence = 0;
    for (std::size_t i = 0; i < 8; ++i)
        sequence = sequence << 8 | static_cast<unsigned char>((*bytes)[i]);
    return static_cast<std::int64_t>(sequence);
}

std::string make_version_id(std::int64_t sequence, Random& random) {
    std::string bytes(24, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    for (std::size_t i = 0; i < 8; ++i)
        bytes[i] = static_cast<char>(static_cast<std::uint64_t>(sequence) >> (56 - 8 * i));
    return crypto::base64url_encode(bytes);
}

Result<> put_object(Change& change, Storage& storage, std::int64_t bucket, Version& object) {
    auto versioning = TRY(versioning_of(change.transaction, bucket));
    object.sequence = next_number(storage);
    object.version =
        versioning == Versioning::enabled ? make_version_id(object.sequence, storage.random) : std::string();
    object.latest = true;
    auto newest = TRY(find_object(change.transaction, bucket, object.key));
    if (newest && object.version.empty()) {
        auto replaced = newest->version.empty()
                            ? newest
                            : TRY(find_object(change.transaction, bucket, object.key, "null"));
        if (replaced) TRY(remove_version(change, bucket, *replaced));
        if (replaced && replaced->sequence == newest->sequence) newest.reset();
    }
    if (newest) TRY(set_latest(change, bucket, *newest, false));
    return insert_version(change, bucket, object);
}

Result<> update_tags(Change& change, std::int64_t bucket, const Version& object) {
    TRY(change.transaction.execute(
        "UPDATE objects SET tags = ? WHERE bucket = ? AND key = ? AND sequence = ?", pack(object.tags),
        bucket, object.key, object.sequence));
    return {};
}

Result<Deleted> delete_object(Change& change, Storage& storage, std::int64_t bucket, std::string_view key,
                              VersionName version) {
    auto versioning = TRY(versioning_of(change.transaction, bucket));
    Deleted deleted;
    if (version || versioning == Versioning::never) {
        deleted.removed = TRY(find_object(change.transaction, bucket, key, version));
        if (!deleted.removed) return deleted;
        TRY(remove_version(change, bucket, *deleted.removed));
        if (!deleted.removed->latest) return deleted;
        if (auto next = TRY(find_object(change.transaction, bucket, key)))
            TRY(set_latest(change, bucket, *next, true));
        return deleted;
    }
    Version marker{.key = std::string(key), .modified = storage.clock.now()};
    marker.marker = true;
    TRY(put_object(change, storage, bucket, marker));
    deleted.marker = std::move(marker);
    return deleted;
}

Result<> insert_upload(Change& change, std::int64_t bucket, const Upload& upload) {
    TRY(change.transaction.execute(
        "INSERT INTO uploads (upload, bucket, key, upload_id, started_us, initiator, storage_class, "
        "checksum_kind, checksum_composite, headers, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        upload.number, bucket, upload.key, upload.id, micros(upload.started), upload.initiator,
        upload.storage_class, static_cast<std::int64_t>(upload.checksum.kind), upload.checksum.composite,
        pack(upload.headers), pack(upload.tags)));
    return {};
}

Result<std::optional<Upload>> find_upload(sqlite::Transaction& transaction, std::int64_t bucket,
                                          std::string_view key, std::string_view upload_id) {
    static const std::string sql =
        "SELECT " + std::string(upload_columns) +
        " FROM uploads WHERE upload = ? AND bucket = ? AND key = ? AND upload_id = ?";
    auto number = sequence_of(upload_id);
    if (!number) return std::optional<Upload>();
    auto statement = TRY(transaction.query(sql, *number, bucket, key, upload_id));
    if (!TRY(statement.step())) return std::optional<Upload>();
    return std::optional(upload_of(statement));
}

Result<> put_part(Change& change, const Upload& upload, const Part& part) {
    std::optional<FileNumber> replaced;
    {
        auto statement =
            TRY(change.transaction.query("DELETE FROM parts WHERE upload = ? AND part = ? RETURNING blob",
                                         upload.number, std::int64_t{part.number}));
        if (TRY(statement.step())) replaced = statement.integer(0);
    }
    if (replaced) TRY(drop_blob(change, *replaced, *replaced));
    TRY(change.transaction.execute("INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", upload.number,
                                   std::int64_t{part.number}, part.blob, static_cast<std::int64_t>(part.size),
                                   micros(part.modified), part.etag,
                                   static_cast<std::int64_t>(part.checksum.kind), part.checksum.text));
    return {};
}

Result<std::vector<Part>> list_parts(sqlite::Transaction& transaction, const Upload& upload, int after,
                                     int count_max) {
    auto statement = TRY(
        transaction.query("SELECT part, blob, size, modified_us, etag, checksum_kind, checksum FROM parts "
                          "WHERE upload = ? AND part > ? ORDER BY part LIMIT ?",
                          upload.number, std::int64_t{after}, std::int64_t{count_max}));
    std::vector<Part> parts;
    while (TRY(statement.step())) {
        parts.push_back({.number = static_cast<int>(statement.integer(0)),
                         .blob = statement.integer(1),
                         .size = static_cast<std::uint64_t>(statement.integer(2)),
                         .modified = from_micros(statement.integer(3)),
                         .etag = statement.text(4),
                         .checksum = {.kind = static_cast<ChecksumKind>(statement.integer(5)),
                                      .text = statement.text(6)}});
    }
    return parts;
}

Result<> delete_upload(Change& change, const Upload& upload, const std::vector<FileNumber>& kept) {
    std::set<FileNumber> stays(kept.begin(), kept.end());
    std::vector<FileNumber> blobs;
    {
        auto statement =
            TRY(change.transaction.query("SELECT blob FROM parts WHERE upload = ?", upload.number));
        while (TRY(statement.step()))
            blobs.push_back(statement.integer(0));
    }
    for (auto blob : blobs) {
        if (!stays.contains(blob)) TRY(drop_blob(change, blob, blob));
    }
    TRY(change.transaction.execute("DELETE FROM parts WHERE upload = ?", upload.number));
    TRY(change.transaction.execute("DELETE FROM uploads WHERE upload = ?", upload.number));
    return {};
}

Result<> insert_pieces(Change& change, std::int64_t content, const std::vector<PieceRow>& pieces) {
    for (const auto& piece : pieces) {
        TRY(change.transaction.execute("INSERT INTO pieces VALUES (?, ?, ?, ?, ?)", content,
                                       std::int64_t{piece.part}, piece.blob,
                                       static_cast<std::int64_t>(piece.size), piece.checksum));
    }
    return {};
}

}  // namespace integreat::s3
