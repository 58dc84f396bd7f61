// SPDX-License-Identifier: Apache-2.0
// What S3 keeps: buckets, versions of objects, uploads in parts.
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

// One rule of a bucket's CORS configuration; "*" in an origin or a header stands for anything.
struct CorsRule {
    std::vector<std::string> origins;
    std::vector<std::string> methods;
    std::vector<std::string> headers;
    std::vector<std::string> exposed;
    std::optional<int> age_seconds_max;
};

enum class Versioning : std::uint8_t { never, enabled, suspended };

struct Bucket {
    std::int64_t id = 0;
    std::string name;
    std::string region;
    Time created;
    Versioning versioning = Versioning::never;
    std::map<std::string, std::string, std::less<>> settings = {};  // "cors" → its document.
    // Read from them.
    std::vector<CorsRule> cors = {};
    std::shared_ptr<const policy::Document> policy = nullptr;
};
using BucketPointer = std::shared_ptr<const Bucket>;

enum class ChecksumKind : std::uint8_t { none, crc32, crc32c, crc64nvme, sha1, sha256 };

struct Checksum {
    ChecksumKind kind = ChecksumKind::none;
    std::string text;        // Base64, of a composite one without the "-3" at its end.
    bool composite = false;  // The sum of the sums of the parts.
};

struct Version {
    std::string key;
    std::int64_t sequence = 0;  // Grows from version to version.
    std::string version;        // Empty: the one that S3 calls "null".
    bool latest = true;
    bool marker = false;  // A delete marker: no content.
    std::uint64_t size = 0;
    Time modified;
    std::string etag;          // Without quotes: "d41d…", "d41d…-3" for one in three parts.
    std::int64_t content = 0;  // What `blobs` or `pieces` call it.
    int part_count = 0;        // 0: not uploaded in parts.
    std::string storage_class = "STANDARD";
    Checksum checksum;
    Pairs headers;  // Content-Type and its like, x-amz-meta-…; names in lower case.
    Pairs tags;
};

struct Upload {
    std::int64_t number = 0;
    std::string key;
    std::string id;
    Time started;
    std::string initiator;  // ARN.
    std::string storage_class = "STANDARD";
    Checksum checksum;  // Only kind and composite.
    Pairs headers;
    Pairs tags;
};

struct Part {
    int number = 0;
    FileNumber blob = 0;
    std::uint64_t size = 0;
    Time modified;
    std::string etag;
    Checksum checksum;
};

}  // namespace integreat::s3
