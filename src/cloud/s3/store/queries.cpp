// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/store/queries.h"

#include <set>
#include <span>

#include "crypto/encoding.h"

namespace integreat::s3 {

namespace {

std::int64_t to_micros(Time time) {
    return time.time_since_epoch().count();
}
Time from_micros(std::int64_t value) {
    return Time(std::chrono::microseconds(value));
}

// Encodes pairs as length, colon, text, alternating names and values.
std::string pack(const Pairs& pairs) {
    std::string packed;
    for (const auto& [name, value] : pairs)
        packed += std::to_string(name.size()) + ":" + name + std::to_string(value.size()) + ":" + value;
    return packed;
}

std::string unpack_next(std::string_view& packed) {
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
        auto name = unpack_next(packed);
        pairs.emplace_back(std::move(name), unpack_next(packed));
    }
    return pairs;
}

// Deletes a blob from the index now and from disk after the commit.
Result<> delete_blob(WriteBatch& batch, std::int64_t content, BlobId blob) {
    auto statement =
        TRY(batch.transaction.query("DELETE FROM blobs WHERE blob = ? RETURNING bytes IS NULL", blob));
    if (TRY(statement.step()) && statement.flag(0)) batch.removed_blobs.push_back({content, blob});
    return {};
}

Result<> delete_content(WriteBatch& batch, const Version& object) {
    if (object.marker) return {};
    if (object.part_count == 0) return delete_blob(batch, object.content, object.content);
    for (const auto& part : TRY(list_part_rows(batch.transaction, object.content)))
        TRY(delete_blob(batch, object.content, part.blob));
    TRY(batch.transaction.execute("DELETE FROM pieces WHERE content = ?", object.content));
    return {};
}

Result<> remove_version(WriteBatch& batch, std::int64_t bucket, const Version& object) {
    TRY(batch.transaction.execute("DELETE FROM objects WHERE bucket = ? AND key = ? AND sequence = ?", bucket,
                                  object.key, object.sequence));
    return delete_content(batch, object);
}

Result<> set_latest(WriteBatch& batch, std::int64_t bucket, const Version& object, bool latest) {
    TRY(batch.transaction.execute(
        "UPDATE objects SET latest = ? WHERE bucket = ? AND key = ? AND sequence = ?", latest, bucket,
        object.key, object.sequence));
    return {};
}

Result<> insert_version(WriteBatch& batch, std::int64_t bucket, const Version& object) {
    TRY(batch.transaction.execute(
        "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", bucket, object.key,
        object.sequence, object.version, object.latest, object.marker, static_cast<std::int64_t>(object.size),
        to_micros(object.modified), object.etag, object.content, std::int64_t{object.part_count},
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

Bucket read_bucket(const sqlite::Statement& row) {
    return {.id = row.integer(0),
            .name = row.text(1),
            .region = row.text(2),
            .created = from_micros(row.integer(3)),
            .versioning = static_cast<Versioning>(row.integer(4)),
            .settings = {}};
}

Result<Versioning> read_versioning(sqlite::Transaction& transaction, std::int64_t bucket) {
    auto statement = TRY(transaction.query("SELECT versioning FROM buckets WHERE bucket = ?", bucket));
    if (!TRY(statement.step())) return Error{Fault::not_found, "the bucket does not exist"};
    return static_cast<Versioning>(statement.integer(0));
}

}  // namespace

Version read_version(const sqlite::Statement& row) {
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

Upload read_upload(const sqlite::Statement& row) {
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
    auto bucket = read_bucket(statement);
    TRY(load_settings(transaction, bucket));
    return std::optional(std::move(bucket));
}

Result<BucketPointer> find_bucket(Storage& storage, std::string_view name) {
    std::string key(name);
    {
        auto cached = storage.buckets.lock();
        if (auto found = cached->find(key); found != cached->end()) return found->second;
    }
    // Cached under the lock, so a change that commits concurrently invalidates the entry afterwards.
    auto cached = storage.buckets.lock();
    auto transaction = TRY(storage.index->read());
    auto found = TRY(find_bucket(transaction, name));
    if (!found) return BucketPointer();
    if (storage.compile_settings) storage.compile_settings(*found);
    auto bucket = std::make_shared<const Bucket>(*std::move(found));
    cached->insert_or_assign(std::move(key), bucket);
    return BucketPointer(bucket);
}

void invalidate_bucket(Storage& storage, const std::string& name) {
    storage.buckets.lock()->erase(name);
}

Result<std::vector<Bucket>> list_buckets(Storage& storage) {
    static const std::string sql = std::string(select_buckets) + "ORDER BY name";
    auto transaction = TRY(storage.index->read());
    auto statement = TRY(transaction.query(sql));
    std::vector<Bucket> buckets;
    while (TRY(statement.step()))
        buckets.push_back(read_bucket(statement));
    return buckets;
}

Result<> insert_bucket(WriteBatch& batch, const Bucket& bucket) {
    TRY(batch.transaction.execute("INSERT INTO buckets (name, region, created_us) VALUES (?, ?, ?)",
                                  bucket.name, bucket.region, to_micros(bucket.created)));
    return {};
}

Result<> delete_bucket(WriteBatch& batch, std::int64_t bucket) {
    {
        auto statement =
            TRY(batch.transaction.query("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", bucket));
        if (TRY(statement.step())) return Error{Fault::conflict, "the bucket is not empty"};
    }
    static const std::string sql = "SELECT " + std::string(upload_columns) + " FROM uploads WHERE bucket = ?";
    std::vector<Upload> uploads;
    {
        auto statement = TRY(batch.transaction.query(sql, bucket));
        while (TRY(statement.step()))
            uploads.push_back(read_upload(statement));
    }
    for (const auto& upload : uploads)
        TRY(delete_upload(batch, upload));
    TRY(batch.transaction.execute("DELETE FROM buckets WHERE bucket = ?", bucket));
    return {};
}

Result<> set_versioning(WriteBatch& batch, std::int64_t bucket, Versioning versioning) {
    TRY(batch.transaction.execute("UPDATE buckets SET versioning = ? WHERE bucket = ?",
                                  static_cast<std::int64_t>(versioning), bucket));
    return {};
}

Result<> set_setting(WriteBatch& batch, std::int64_t bucket, std::string_view name,
                     std::string_view document) {
    if (document.empty()) {
        TRY(batch.transaction.execute("DELETE FROM bucket_settings WHERE bucket = ? AND name = ?", bucket,
                                      name));
    } else {
        TRY(batch.transaction.execute("INSERT OR REPLACE INTO bucket_settings VALUES (?, ?, ?)", bucket, name,
                                      document));
    }
    return {};
}

Result<std::optional<Version>> find_object(sqlite::Transaction& transaction, std::int64_t bucket,
                                           std::string_view key, RequestedVersion version) {
    static const std::string select =
        "SELECT " + std::string(object_columns) + " FROM objects WHERE bucket = ? AND key = ? ";
    static const std::string newest = select + "ORDER BY sequence DESC LIMIT 1";
    static const std::string unnamed = select + "AND version = ''";
    static const std::string named = select + "AND sequence = ? AND version = ?";
    auto row = [&](Result<sqlite::Statement> found) -> Result<std::optional<Version>> {
        auto statement = TRY(std::move(found));
        if (!TRY(statement.step())) return std::optional<Version>();
        return std::optional(read_version(statement));
    };
    if (!version) return row(transaction.query(newest, bucket, key));
    if (*version == "null") return row(transaction.query(unnamed, bucket, key));
    auto sequence = parse_version_id(*version);
    if (!sequence) return std::optional<Version>();
    return row(transaction.query(named, bucket, key, *sequence, *version));
}

std::string to_version_id(const Version& object) {
    return object.version.empty() ? "null" : object.version;
}

std::optional<std::int64_t> parse_version_id(std::string_view version_id) {
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

Result<> put_object(WriteBatch& batch, Storage& storage, std::int64_t bucket, Version& object) {
    auto versioning = TRY(read_versioning(batch.transaction, bucket));
    object.sequence = next_number(storage);
    object.version =
        versioning == Versioning::enabled ? make_version_id(object.sequence, storage.random) : std::string();
    object.latest = true;
    auto newest = TRY(find_object(batch.transaction, bucket, object.key));
    if (newest && object.version.empty()) {
        auto replaced = newest->version.empty()
                            ? newest
                            : TRY(find_object(batch.transaction, bucket, object.key, "null"));
        if (replaced) TRY(remove_version(batch, bucket, *replaced));
        if (replaced && replaced->sequence == newest->sequence) newest.reset();
    }
    if (newest) TRY(set_latest(batch, bucket, *newest, false));
    return insert_version(batch, bucket, object);
}

Result<> update_tags(WriteBatch& batch, std::int64_t bucket, const Version& object) {
    TRY(batch.transaction.execute("UPDATE objects SET tags = ? WHERE bucket = ? AND key = ? AND sequence = ?",
                                  pack(object.tags), bucket, object.key, object.sequence));
    return {};
}

Result<Deleted> delete_object(WriteBatch& batch, Storage& storage, std::int64_t bucket, std::string_view key,
                              RequestedVersion version) {
    auto versioning = TRY(read_versioning(batch.transaction, bucket));
    Deleted deleted;
    if (version || versioning == Versioning::never) {
        deleted.removed = TRY(find_object(batch.transaction, bucket, key, version));
        if (!deleted.removed) return deleted;
        TRY(remove_version(batch, bucket, *deleted.removed));
        if (!deleted.removed->latest) return deleted;
        if (auto next = TRY(find_object(batch.transaction, bucket, key)))
            TRY(set_latest(batch, bucket, *next, true));
        return deleted;
    }
    Version marker{.key = std::string(key), .modified = storage.clock.now()};
    marker.marker = true;
    TRY(put_object(batch, storage, bucket, marker));
    deleted.marker = std::move(marker);
    return deleted;
}

Result<> insert_upload(WriteBatch& batch, std::int64_t bucket, const Upload& upload) {
    TRY(batch.transaction.execute(
        "INSERT INTO uploads (upload, bucket, key, upload_id, started_us, initiator, storage_class, "
        "checksum_kind, checksum_composite, headers, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        upload.number, bucket, upload.key, upload.id, to_micros(upload.started), upload.initiator,
        upload.storage_class, static_cast<std::int64_t>(upload.checksum.kind), upload.checksum.composite,
        pack(upload.headers), pack(upload.tags)));
    return {};
}

Result<std::optional<Upload>> find_upload(sqlite::Transaction& transaction, std::int64_t bucket,
                                          std::string_view key, std::string_view upload_id) {
    static const std::string sql =
        "SELECT " + std::string(upload_columns) +
        " FROM uploads WHERE upload = ? AND bucket = ? AND key = ? AND upload_id = ?";
    auto number = parse_version_id(upload_id);
    if (!number) return std::optional<Upload>();
    auto statement = TRY(transaction.query(sql, *number, bucket, key, upload_id));
    if (!TRY(statement.step())) return std::optional<Upload>();
    return std::optional(read_upload(statement));
}

Result<> put_part(WriteBatch& batch, const Upload& upload, const Part& part) {
    std::optional<BlobId> replaced;
    {
        auto statement =
            TRY(batch.transaction.query("DELETE FROM parts WHERE upload = ? AND part = ? RETURNING blob",
                                        upload.number, std::int64_t{part.number}));
        if (TRY(statement.step())) replaced = statement.integer(0);
    }
    if (replaced) TRY(delete_blob(batch, *replaced, *replaced));
    TRY(batch.transaction.execute("INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", upload.number,
                                  std::int64_t{part.number}, part.blob, static_cast<std::int64_t>(part.size),
                                  to_micros(part.modified), part.etag,
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

Result<> delete_upload(WriteBatch& batch, const Upload& upload, const std::vector<BlobId>& kept) {
    std::set<BlobId> kept_blobs(kept.begin(), kept.end());
    std::vector<BlobId> blobs;
    {
        auto statement =
            TRY(batch.transaction.query("SELECT blob FROM parts WHERE upload = ?", upload.number));
        while (TRY(statement.step()))
            blobs.push_back(statement.integer(0));
    }
    for (auto blob : blobs) {
        if (!kept_blobs.contains(blob)) TRY(delete_blob(batch, blob, blob));
    }
    TRY(batch.transaction.execute("DELETE FROM parts WHERE upload = ?", upload.number));
    TRY(batch.transaction.execute("DELETE FROM uploads WHERE upload = ?", upload.number));
    return {};
}

Result<> insert_part_rows(WriteBatch& batch, std::int64_t content, const std::vector<PartRow>& parts) {
    for (const auto& part : parts) {
        TRY(batch.transaction.execute("INSERT INTO pieces VALUES (?, ?, ?, ?, ?)", content,
                                      std::int64_t{part.part}, part.blob,
                                      static_cast<std::int64_t>(part.size), part.checksum));
    }
    return {};
}

}  // namespace integreat::s3
