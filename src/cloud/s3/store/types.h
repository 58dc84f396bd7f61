// SPDX-License-Identifier: Apache-2.0
// The stored entities of S3: buckets, versions of objects, multipart uploads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "cloud/s3/store/blob_files.h"
#include "policy/document/document.h"

namespace integreat::s3 {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// One rule of a bucket's CORS configuration; "*" in an origin or a header matches anything.
struct CorsRule {
    std::vector<std::string> origins;
    std::vector<std::string> methods;
    std::vector<std::string> headers;
    std::vector<std::string> exposed_headers;
    std::optional<int> max_age_seconds;
};

enum class Versioning : std::uint8_t { never, enabled, suspended };

struct Bucket {
    std::int64_t id = 0;
    std::string name;
    std::string region;
    Time created;
    Versioning versioning = Versioning::never;
    std::map<std::string, std::string, std::less<>> settings = {};  // Documents by name: "cors".
    // Parsed from the settings.
    std::vector<CorsRule> cors = {};
    std::shared_ptr<const policy::Document> policy = nullptr;
};
using BucketPointer = std::shared_ptr<const Bucket>;

enum class ChecksumKind : std::uint8_t { none, crc32, crc32c, crc64nvme, sha1, sha256 };

struct Checksum {
    ChecksumKind kind = ChecksumKind::none;
    std::string text;        // Base64; without the suffix "-3" of a composite checksum.
    bool composite = false;  // The checksum of the checksums of the parts.
};

struct Version {
    std::string key;
    std::int64_t sequence = 0;  // Increases from version to version.
    std::string version;        // Empty for the version that S3 calls "null".
    bool latest = true;
    bool marker = false;  // A delete marker, which has no content.
    std::uint64_t size = 0;
    Time modified;
    std::string etag;          // Without quotes: "d41d…", or "d41d…-3" if uploaded in three parts.
    std::int64_t content = 0;  // Key in the tables `blobs` or `pieces`.
    int part_count = 0;        // 0 if not uploaded in parts.
    std::string storage_class = "STANDARD";
    Checksum checksum;
    Pairs headers;  // Content-Type, x-amz-meta-… and similar; names in lower case.
    Pairs tags;
};

struct Upload {
    std::int64_t number = 0;
    std::string key;
    std::string id;
    Time started;
    std::string initiator;  // ARN of the caller.
    std::string storage_class = "STANDARD";
    Checksum checksum;  // Only kind and composite are set.
    Pairs headers;
    Pairs tags;
};

struct Part {
    int number = 0;
    BlobId blob = 0;
    std::uint64_t size = 0;
    Time modified;
    std::string etag;
    Checksum checksum;
};

}  // namespace integreat::s3
