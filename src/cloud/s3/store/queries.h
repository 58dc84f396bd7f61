// SPDX-License-Identifier: Apache-2.0
// How buckets, versions, uploads and parts are stored. What S3 means by versioning is here: which version a
// write replaces, which one is shown when the newest goes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/s3/store/blob.h"
#include "cloud/s3/store/storage.h"

namespace integreat::s3 {

// Buckets. Reading goes through a cache that every change of a bucket clears.
Result<BucketPointer> find_bucket(Storage& storage, std::string_view name);  // Null: there is none.
Result<std::vector<Bucket>> list_buckets(Storage& storage);
Result<std::optional<Bucket>> find_bucket(sqlite::Transaction& transaction, std::string_view name);
Result<> insert_bucket(Change& change, const Bucket& bucket);
// Fault::conflict if it is not empty: versions and delete markers count. Uploads in parts are dropped.
Result<> delete_bucket(Change& change, std::int64_t bucket);
Result<> set_versioning(Change& change, std::int64_t bucket, Versioning versioning);
// An empty document removes it.
Result<> set_setting(Change& change, std::int64_t bucket, std::string_view name, std::string_view document);
void forget_bucket(Storage& storage, const std::string& name);  // After the commit.

// Versions. `version` is what clients say: nothing for the newest, "null", or an id.
using VersionName = std::optional<std::string_view>;
Result<std::optional<Version>> find_object(sqlite::Transaction& transaction, std::int64_t bucket,
                                           std::string_view key, VersionName version = std::nullopt);
// The id for clients: "null" or 32 characters that nobody can guess.
std::string version_name(const Version& object);
std::string make_version_id(std::int64_t sequence, Random& random);  // Also of uploads.
std::optional<std::int64_t> sequence_of(std::string_view version_id);

// Makes `object` the newest version of its key; sets sequence, version and latest. In a bucket that is not
// versioned it replaces what was there. Fault::not_found if the bucket is gone.
Result<> put_object(Change& change, Storage& storage, std::int64_t bucket, Version& object);
Result<> update_tags(Change& change, std::int64_t bucket, const Version& object);
struct Deleted {
    std::optional<Version> removed;  // The version that is gone.
    std::optional<Version> marker;   // The delete marker that was made.
};
// Without a version: a delete marker where versions are kept, else the object goes. Absent ones are no error.
Result<Deleted> delete_object(Change& change, Storage& storage, std::int64_t bucket, std::string_view key,
                              VersionName version);

// Uploads in parts.
Result<> insert_upload(Change& change, std::int64_t bucket, const Upload& upload);
Result<std::optional<Upload>> find_upload(sqlite::Transaction& transaction, std::int64_t bucket,
                                          std::string_view key, std::string_view upload_id);
Result<> put_part(Change& change, const Upload& upload, const Part& part);  // Replaces one of that number.
Result<std::vector<Part>> list_parts(sqlite::Transaction& transaction, const Upload& upload, int after,
                                     int count_max);
// Its parts go, but for those whose blobs are in `kept`.
Result<> delete_upload(Change& change, const Upload& upload, const std::vector<FileNumber>& kept = {});
Result<> insert_pieces(Change& change, std::int64_t content, const std::vector<PieceRow>& pieces);

// Shared with listing.cpp: the columns of an object, and the row they make.
inline constexpr std::string_view object_columns =
    "key, sequence, version, latest, marker, size, modified_us, etag, content, part_count, storage_class, "
    "checksum_kind, checksum, checksum_composite, headers, tags";
Version object_of(const sqlite::Statement& row);
Upload upload_of(const sqlite::Statement& row);
inline constexpr std::string_view upload_columns =
    "key, upload, upload_id, started_us, initiator, storage_class, checksum_kind, checksum_composite, "
    "headers, tags";

}  // namespace integreat::s3
