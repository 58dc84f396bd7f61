// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/store/schema.h"

namespace integreat::s3 {

namespace {

constexpr std::int64_t application_id = 0x49545333;  // "ITS3", in the file's header.

constexpr const char* create_tables = R"(
-- Number of starts; it makes the numbers of each start unique (storage.h).
CREATE TABLE starts (count INTEGER NOT NULL) STRICT;
INSERT INTO starts VALUES (0);

CREATE TABLE buckets (
    bucket INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    region TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    versioning INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One validated document per setting: CORS, policy, tags, ...
CREATE TABLE bucket_settings (
    bucket INTEGER NOT NULL REFERENCES buckets ON DELETE CASCADE,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (bucket, name)
) STRICT, WITHOUT ROWID;

-- Versions of a key, the newest first. version is '' for the version that S3 calls "null".
CREATE TABLE objects (
    bucket INTEGER NOT NULL REFERENCES buckets,
    key TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    version TEXT NOT NULL,
    latest INTEGER NOT NULL,
    marker INTEGER NOT NULL,
    size INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    etag TEXT NOT NULL,
    content INTEGER NOT NULL,
    part_count INTEGER NOT NULL,
    storage_class TEXT NOT NULL,
    checksum_kind INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    checksum_composite INTEGER NOT NULL,
    headers TEXT NOT NULL,
    tags TEXT NOT NULL,
    PRIMARY KEY (bucket, key, sequence DESC)
) STRICT, WITHOUT ROWID;
-- Entries of ListObjects, so that it does not scan old versions and deleted keys.
CREATE INDEX objects_shown ON objects (bucket, key) WHERE latest = 1 AND marker = 0;

-- bytes is NULL if the blob is in the file of this number.
CREATE TABLE blobs (
    blob INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    bytes BLOB
) STRICT;

CREATE TABLE pieces (
    content INTEGER NOT NULL,
    part INTEGER NOT NULL,
    blob INTEGER NOT NULL,
    size INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (content, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE uploads (
    upload INTEGER PRIMARY KEY,
    bucket INTEGER NOT NULL REFERENCES buckets,
    key TEXT NOT NULL,
    upload_id TEXT NOT NULL,
    started_us INTEGER NOT NULL,
    initiator TEXT NOT NULL,
    storage_class TEXT NOT NULL,
    checksum_kind INTEGER NOT NULL,
    checksum_composite INTEGER NOT NULL,
    headers TEXT NOT NULL,
    tags TEXT NOT NULL
) STRICT;
CREATE INDEX uploads_key ON uploads (bucket, key, upload);

CREATE TABLE parts (
    upload INTEGER NOT NULL REFERENCES uploads ON DELETE CASCADE,
    part INTEGER NOT NULL,
    blob INTEGER NOT NULL,
    size INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksum_kind INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (upload, part)
) STRICT, WITHOUT ROWID;

-- Unreferenced files that may still exist.
CREATE TABLE garbage (
    blob INTEGER PRIMARY KEY,
    content INTEGER NOT NULL
) STRICT;
)";

constexpr const char* migrations[] = {create_tables};

}  // namespace

const sqlite::Schema objects_schema{.contents = "objects",
                                    .file = "objects.sqlite",
                                    .application_id = application_id,
                                    .migrations = migrations};

}  // namespace integreat::s3
