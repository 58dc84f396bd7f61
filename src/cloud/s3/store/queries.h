// SPDX-License-Identifier: Apache-2.0
// Queries on buckets, versions, uploads and parts. Implements the versioning of S3: which version a write
// replaces and which one becomes current when the newest is deleted.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/s3/store/blob.h"
#include "cloud/s3/store/storage.h"

namespace integreat::s3 {

// Buckets. The first function reads through a cache that every change of a bucket invalidates.
Result<BucketPointer> find_bucket(Storage& storage, std::string_view name);  // Null if there is none.
Result<std::vector<Bucket>> list_buckets(Storage& storage);
Result<std::optional<Bucket>> find_bucket(sqlite::Transaction& transaction, std::string_view name);
Result<> insert_bucket(WriteBatch& batch, const Bucket& bucket);
// Deletes a bucket and its multipart uploads; Fault::conflict if it has versions or delete markers.
Result<> delete_bucket(WriteBatch& batch, std::int64_t bucket);
Result<> set_versioning(WriteBatch& batch, std::int64_t bucket, Versioning versioning);
// Sets a setting, or removes it if the document is empty.
Result<> set_setting(WriteBatch& batch, std::int64_t bucket, std::string_view name,
                     std::string_view document);
void invalidate_bucket(Storage& storage, const std::string& name);  // Called after the commit.

// Versions. RequestedVersion is the version that a client names: nothing for the newest, "null", or an id.
using RequestedVersion = std::optional<std::string_view>;
Result<std::optional<Version>> find_object(sqlite::Transaction& transaction, std::int64_t bucket,
                                           std::string_view key, RequestedVersion version = std::nullopt);
// Returns the version id for clients: "null" or 32 unguessable characters.
std::string to_version_id(const Version& object);
std::string make_version_id(std::int64_t sequence, Random& random);  // Also used for upload ids.
std::optional<std::int64_t> parse_version_id(std::string_view version_id);

// Makes `object` the newest version of its key and sets its sequence, version and latest. In an unversioned
// bucket it replaces the existing version. Fault::not_found if the bucket was deleted.
Result<> put_object(WriteBatch& batch, Storage& storage, std::int64_t bucket, Version& object);
Result<> update_tags(WriteBatch& batch, std::int64_t bucket, const Version& object);
struct Deleted {
    std::optional<Version> removed;  // The deleted version.
    std::optional<Version> marker;   // The created delete marker.
};
// Deletes a version, or without one creates a delete marker (versioned buckets) or deletes the object. A
// missing object is not an error.
Result<Deleted> delete_object(WriteBatch& batch, Storage& storage, std::int64_t bucket, std::string_view key,
                              RequestedVersion version);

// Multipart uploads.
Result<> insert_upload(WriteBatch& batch, std::int64_t bucket, const Upload& upload);
Result<std::optional<Upload>> find_upload(sqlite::Transaction& transaction, std::int64_t bucket,
                                          std::string_view key, std::string_view upload_id);
Result<> put_part(WriteBatch& batch, const Upload& upload,
                  const Part& part);  // Replaces a part with the same number.
Result<std::vector<Part>> list_parts(sqlite::Transaction& transaction, const Upload& upload, int after,
                                     int count_max);
// Deletes an upload and its parts, except blobs in `kept`.
Result<> delete_upload(WriteBatch& batch, const Upload& upload, const std::vector<BlobId>& kept = {});
Result<> insert_part_rows(WriteBatch& batch, std::int64_t content, const std::vector<PartRow>& pieces);

// Columns and row readers, shared with listing.cpp.
inline constexpr std::string_view object_columns =
    "key, sequence, version, latest, marker, size, modified_us, etag, content, part_count, storage_class, "
    "checksum_kind, checksum, checksum_composite, headers, tags";
Version read_version(const sqlite::Statement& row);
Upload read_upload(const sqlite::Statement& row);
inline constexpr std::string_view upload_columns =
    "key, upload, upload_id, started_us, initiator, storage_class, checksum_kind, checksum_composite, "
    "headers, tags";

}  // namespace integreat::s3
