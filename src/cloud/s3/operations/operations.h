// SPDX-License-Identifier: Apache-2.0
// One function per operation, named like the operation of the API; table.cpp maps requests to them. Each
// checks permissions before it reads or changes anything.
#pragma once

#include "cloud/s3/operations/authorization.h"
#include "cloud/s3/operations/request_parameters.h"
#include "cloud/s3/operations/responses.h"
#include "cloud/s3/operations/write_transaction.h"
#include "cloud/s3/protocol/checksums.h"
#include "cloud/s3/protocol/conditions.h"
#include "cloud/s3/protocol/xml.h"

namespace integreat::s3 {

// buckets.cpp
AwsResult<http::Response> list_all_buckets(S3& s3, OperationContext& context);
AwsResult<http::Response> create_bucket(S3& s3, OperationContext& context);
AwsResult<http::Response> delete_empty_bucket(S3& s3, OperationContext& context);
AwsResult<http::Response> head_bucket(S3& s3, OperationContext& context);
AwsResult<http::Response> get_location(S3& s3, OperationContext& context);
AwsResult<http::Response> get_versioning(S3& s3, OperationContext& context);
AwsResult<http::Response> put_versioning(S3& s3, OperationContext& context);
AwsResult<http::Response> get_bucket_acl(S3& s3, OperationContext& context);
// list.cpp
AwsResult<http::Response> list_keys(S3& s3, OperationContext& context);     // ListObjects
AwsResult<http::Response> list_keys_v2(S3& s3, OperationContext& context);  // ListObjectsV2
AwsResult<http::Response> list_key_versions(S3& s3, OperationContext& context);
AwsResult<http::Response> list_open_uploads(S3& s3, OperationContext& context);
// get.cpp
AwsResult<http::Response> get_key(S3& s3, OperationContext& context);
AwsResult<http::Response> head_key(S3& s3, OperationContext& context);
AwsResult<http::Response> get_attributes(S3& s3, OperationContext& context);
AwsResult<http::Response> get_key_acl(S3& s3, OperationContext& context);
// put.cpp
cloud::StreamedOperation put_key(S3& s3, OperationContext& context);
cloud::StreamedOperation upload_part(S3& s3, OperationContext& context);
// copy.cpp
AwsResult<http::Response> copy_key(S3& s3, OperationContext& context);
AwsResult<http::Response> upload_part_copy(S3& s3, OperationContext& context);
// delete.cpp
AwsResult<http::Response> delete_key(S3& s3, OperationContext& context);
AwsResult<http::Response> delete_keys(S3& s3, OperationContext& context);
// tags.cpp
AwsResult<http::Response> get_tags(S3& s3, OperationContext& context);
AwsResult<http::Response> put_tags(S3& s3, OperationContext& context);
AwsResult<http::Response> delete_tags(S3& s3, OperationContext& context);
// multipart.cpp
AwsResult<http::Response> create_upload(S3& s3, OperationContext& context);
AwsResult<http::Response> abort_upload(S3& s3, OperationContext& context);
AwsResult<http::Response> list_upload_parts(S3& s3, OperationContext& context);
// complete_multipart.cpp
AwsResult<http::Response> complete_upload(S3& s3, OperationContext& context);
// post.cpp
cloud::StreamedOperation post_key(S3& s3, OperationContext& context);

// Returns the version of the request after checking the permission for `action` on it ("s3:GetObject"; with a
// version "s3:GetObjectVersion"). A caller who may not list the bucket gets AccessDenied for a missing key.
struct AuthorizedVersion {
    BucketPointer bucket;
    Version version;
};
AwsResult<AuthorizedVersion> find_authorized(S3& s3, OperationContext& context, std::string_view action);
// A reference to an object. For a copy it is the source; the key of the request is the destination.
struct ObjectReference {
    BucketPointer bucket;
    std::string_view key;
    RequestedVersion version;
};
AwsResult<Version> find_authorized(S3& s3, OperationContext& context, const ObjectReference& object,
                                   std::string_view action);

// Conditions on the overwritten version, checked before the body is read and again when the version is
// written.
struct OverwriteCondition {
    std::optional<std::string> if_match;  // List of ETags.
    bool if_none_match = false;           // "*"
};
AwsResult<OverwriteCondition> parse_overwrite(const http::Headers& headers);
AwsResult<> check_overwrite(const OverwriteCondition& overwrite, const std::optional<Version>& present,
                            std::string_view key);

// Sets the size, ETag, content and checksum of a version; makes a part of an upload from its blob.
void set_content(Version& version, const PendingBlob& blob);
Part make_part(int number, const PendingBlob& blob, Time now);

// A version to be written.
struct PendingVersion {
    BucketPointer bucket;
    Version version;
    OverwriteCondition overwrite = {};
    std::string_view event;
};
// Writes a version and checks its overwrite conditions in one transaction; `contents` inserts the rows of its
// bytes.
AwsResult<Version> write_version(S3& s3, PendingVersion pending,
                                 const std::function<AwsResult<>(WriteBatch&)>& contents);

// Returns the upload of ?uploadId=; NoSuchUpload.
AwsResult<Upload> requested_upload(S3& s3, const OperationContext& context, const Bucket& bucket);
AwsResult<int> parse_part_number(const OperationContext& context);

AwsResult<Pairs> parse_tag_set(const Element& tagging, std::size_t count_max);
void write_tag_set(XmlWriter& xml, const Pairs& tags);

std::string owner_id(const S3& s3);  // Canonical user id of the account.
void write_owner(XmlWriter& xml, std::string_view element, const S3& s3);
AwsResult<http::Response> owner_acl_response(S3& s3);
void write_checksum(XmlWriter& xml, const Checksum& checksum, int part_count);

}  // namespace integreat::s3
