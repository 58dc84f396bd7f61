// SPDX-License-Identifier: Apache-2.0
// Checksums of S3 bodies: names of the algorithms, checksums declared by the client, and their verification.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/aws/core/operation_context.h"
#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/store/blob.h"

namespace integreat::s3 {

// Converts between a kind and its name, such as "CRC32".
std::string_view to_string(ChecksumKind kind);
std::optional<ChecksumKind> parse_checksum_kind(std::string_view name);
std::string checksum_header(ChecksumKind kind);  // "x-amz-checksum-crc32"

// The checksums that a client declares for a body.
struct DeclaredChecksums {
    std::string md5;  // Raw bytes; empty if not declared.
    ChecksumKind kind = ChecksumKind::none;
    std::string checksum;     // Base64; empty if not declared or sent in the trailers.
    bool in_trailer = false;  // The checksum must be sent in the trailers.
};
// Parses checksum headers; InvalidDigest, InvalidRequest. Headers only: presigned URLs have the checksum of
// an empty body in their query (docs/inside/decisions/0102-checksums-in-queries.md).
AwsResult<DeclaredChecksums> parse_declared_checksums(const http::Headers& headers);
// Return BadDigest if the body has another checksum. The second form is for small bodies in memory.
AwsResult<> verify_checksums(DeclaredChecksums declared, const PendingBlob& body,
                             const cloud::Parameters& trailers);
AwsResult<> verify_checksums(const DeclaredChecksums& declared, std::string_view body);

// Formats a checksum with the number of parts, "…=-3", if it is composite.
std::string format_checksum(const Checksum& checksum, int part_count);

}  // namespace integreat::s3
