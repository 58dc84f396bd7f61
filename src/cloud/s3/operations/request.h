// SPDX-License-Identifier: Apache-2.0
// What operations read from a request and ask before they answer: the bucket, the permission, headers that
// are kept with an object, checksums that the client claims.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/protocol/xml.h"
#include "cloud/s3/store/blob.h"
#include "cloud/s3/store/queries.h"
#include "cloud/s3/store/s3.h"

namespace integreat::s3 {

using cloud::Exchange;
using Done = Tried<http::Response>;

std::string bucket_arn(std::string_view bucket);
std::string object_arn(std::string_view bucket, std::string_view key);

// The bucket of the request: NoSuchBucket; AccessDenied if x-amz-expected-bucket-owner names another account.
Tried<BucketPointer> bucket_of(S3& s3, Exchange& exchange);
Tried<BucketPointer> named_bucket(S3& s3, std::string_view name);

struct Permission {
    std::string_view action;  // "s3:GetObject"
    std::string resource;
    policy::Context keys = {};
};
// AccessDenied unless identity policies, the bucket's policy and its public access block let the caller.
Tried<> permit(Exchange& exchange, const Bucket& bucket, Permission permission);
bool permitted(Exchange& exchange, const Bucket& bucket, Permission permission);
// What conditions of policies may ask about any request to S3: s3:x-amz-acl, s3:versionid, …
policy::Context keys_of_request(const Exchange& exchange);
policy::Context keys_of_tags(std::string_view prefix, const Pairs& tags);  // "s3:ExistingObjectTag"

// The bucket, and the permission for an action on it. Most operations on buckets begin so.
Tried<BucketPointer> permitted_bucket(S3& s3, Exchange& exchange, std::string_view action);

// KeyTooLongError; InvalidArgument for keys that are not UTF-8.
Tried<> check_key(std::string_view key);
// ?versionId=; InvalidArgument if it is there and empty.
Tried<VersionName> version_of(const Exchange& exchange);
// A number within limits, or `otherwise` if it is absent. InvalidArgument.
Tried<int> number_of(const Exchange& exchange, std::string_view name, int otherwise, int max);

// Content-Type and its like, x-amz-meta-*: MetadataTooLarge, InvalidArgument.
Tried<Pairs> kept_headers(const http::Headers& headers);
Tried<std::string> storage_class_of(const http::Headers& headers);
// Of requests that would have to be ignored otherwise: ACLs, object lock, keys of the customer.
Tried<> refuse_what_is_not_there(const http::Headers& headers);
// x-amz-tagging: "a=1&b=2".
Tried<Pairs> tags_of_header(const http::Headers& headers);
// InvalidTag, BadRequest: their number, lengths, characters, repetition.
Tried<> check_tags(const Pairs& tags, std::size_t count_max);

// "CRC32" and its like, in both directions.
std::string_view name_of(ChecksumKind kind);
std::optional<ChecksumKind> checksum_kind_from(std::string_view name);
std::string checksum_header(ChecksumKind kind);  // "x-amz-checksum-crc32"

// What the client says its body adds up to.
struct Claims {
    std::string md5;  // Raw bytes; empty: not said.
    ChecksumKind kind = ChecksumKind::none;
    std::string checksum;     // Base64; empty: not said, or comes with the trailers.
    bool in_trailer = false;  // Must come with them.
};
// InvalidDigest, InvalidRequest. Headers only: presigned URLs carry the checksum of an empty body in their
// query (docs/decisions/0102-checksums-in-queries.md).
Tried<Claims> claims_of(const http::Headers& headers);
// BadDigest, if the body is another.
Tried<> check_claims(Claims claims, const Body& body, const cloud::Parameters& trailers);
Tried<> check_claims(const Claims& claims, std::string_view body);  // Of small ones.

// The one writer of SQLite: what `write` refuses is undone alone.
Tried<> change(S3& s3, const std::function<Tried<>(Change&)>& write);
// The same for a change of the bucket itself.
Tried<> change_bucket(S3& s3, const Bucket& bucket, const std::function<Tried<>(Change&)>& write);

void tell(S3& s3, std::string_view event, const Bucket& bucket, const Version& version);

// Answers.
Done answer_empty(int status, http::Headers headers = {});
Done answer_xml(XmlText xml, http::Headers headers = {});
std::string quoted(std::string_view etag);
std::string iso_time(Time time);  // "2026-11-22T08:15:00.000Z"
// x-amz-version-id, x-amz-delete-marker, if versions are kept there.
void add_version(http::Headers& headers, const Version& version);
void add_checksum(http::Headers& headers, const Version& version);
std::string checksum_text(const Checksum& checksum, int part_count);  // "…=-3" of a composite one.
void add_encryption(http::Headers& headers, const Pairs& kept);
std::string url_encoded(std::string_view key);  // encoding-type=url: slashes stay.

}  // namespace integreat::s3
