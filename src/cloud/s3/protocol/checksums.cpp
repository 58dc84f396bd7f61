// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/checksums.h"

#include <array>

#include "base/text/ascii.h"
#include "crypto/encoding.h"

namespace integreat::s3 {

namespace {

struct ChecksumName {
    ChecksumKind kind;
    std::string_view name;
    std::size_t bytes;  // Length of the checksum.
};
constexpr std::array<ChecksumName, 5> checksum_names{{{ChecksumKind::crc32, "CRC32", 4},
                                                      {ChecksumKind::crc32c, "CRC32C", 4},
                                                      {ChecksumKind::crc64nvme, "CRC64NVME", 8},
                                                      {ChecksumKind::sha1, "SHA1", 20},
                                                      {ChecksumKind::sha256, "SHA256", 32}}};

AwsError checksum_mismatch(ChecksumKind kind) {
    return {.status = 400,
            .code = "BadDigest",
            .message = "The " + std::string(to_string(kind)) +
                       " you specified did not match the calculated checksum."};
}

}  // namespace

std::string_view to_string(ChecksumKind kind) {
    for (const auto& entry : checksum_names) {
        if (entry.kind == kind) return entry.name;
    }
    return {};
}

std::optional<ChecksumKind> parse_checksum_kind(std::string_view name) {
    for (const auto& entry : checksum_names) {
        if (iequals(entry.name, name)) return entry.kind;
    }
    return std::nullopt;
}

std::string checksum_header(ChecksumKind kind) {
    return "x-amz-checksum-" + to_lower(to_string(kind));
}

AwsResult<DeclaredChecksums> parse_declared_checksums(const http::Headers& headers) {
    DeclaredChecksums declared;
    if (auto md5 = headers.get("content-md5")) {
        auto bytes = crypto::base64_decode(*md5);
        if (!bytes || bytes->size() != 16) return invalid_digest();
        declared.md5 = *std::move(bytes);
    }
    for (const auto& entry : checksum_names) {
        auto value = headers.get(checksum_header(entry.kind));
        if (!value) continue;
        if (declared.kind != ChecksumKind::none)
            return invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                "allowed.");
        auto bytes = crypto::base64_decode(*value);
        if (!bytes || bytes->size() != entry.bytes)
            return invalid_request("Value for " + checksum_header(entry.kind) + " header is invalid.");
        declared.kind = entry.kind;
        declared.checksum = *value;
    }
    if (auto trailer = headers.get("x-amz-trailer")) {
        auto name = to_lower(*trailer);
        auto kind = name.starts_with("x-amz-checksum-") ? parse_checksum_kind(name.substr(15)) : std::nullopt;
        if (!kind || declared.kind != ChecksumKind::none)
            return invalid_request("The value specified in the x-amz-trailer header is not supported");
        declared.kind = *kind;
        declared.in_trailer = true;
    }
    if (auto algorithm = headers.get("x-amz-sdk-checksum-algorithm"); algorithm && !algorithm->empty()) {
        auto kind = parse_checksum_kind(*algorithm);
        if (!kind) {
            return invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid.");
        }
        if (declared.kind != ChecksumKind::none && declared.kind != *kind)
            return invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid.");
    }
    return declared;
}

AwsResult<> verify_checksums(DeclaredChecksums declared, const PendingBlob& body,
                             const cloud::Parameters& trailers) {
    if (!declared.md5.empty() && declared.md5 != body.md5())
        return bad_digest(crypto::base64_encode(declared.md5), crypto::base64_encode(body.md5()));
    if (declared.in_trailer) {
        auto name = checksum_header(declared.kind);
        for (const auto& [trailer, value] : trailers) {
            if (trailer == name) declared.checksum = value;
        }
        if (declared.checksum.empty()) {
            return AwsError{.status = 400,
                            .code = "MalformedTrailerError",
                            .message =
                                "The request contained trailing data that was not well-formed or did not "
                                "conform to our published schema."};
        }
    }
    if (!declared.checksum.empty() && declared.checksum != body.checksum().text)
        return checksum_mismatch(declared.kind);
    return {};
}

AwsResult<> verify_checksums(const DeclaredChecksums& declared, std::string_view body) {
    if (!declared.md5.empty()) {
        auto md5 = crypto::hash(crypto::HashAlgorithm::md5, body);
        if (md5 != declared.md5)
            return bad_digest(crypto::base64_encode(declared.md5), crypto::base64_encode(md5));
    }
    if (!declared.checksum.empty()) {
        RunningChecksum sum(declared.kind);
        sum.update(body);
        if (sum.finish() != declared.checksum) return checksum_mismatch(declared.kind);
    }
    return {};
}

std::string format_checksum(const Checksum& checksum, int part_count) {
    return checksum.composite ? checksum.text + "-" + std::to_string(part_count) : checksum.text;
}

}  // namespace integreat::s3
