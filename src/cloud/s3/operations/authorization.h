// SPDX-License-Identifier: Apache-2.0
// Authorization of S3 requests: the bucket of a request, its ARNs and condition keys, and permission checks.
#pragma once

#include <string>
#include <string_view>

#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/store/queries.h"
#include "cloud/s3/store/s3.h"

namespace integreat::s3 {

using cloud::OperationContext;

std::string bucket_arn(std::string_view bucket);
std::string object_arn(std::string_view bucket, std::string_view key);

// Returns a bucket; NoSuchBucket.
AwsResult<BucketPointer> require_bucket(S3& s3, std::string_view name);
// Returns the bucket of the request; NoSuchBucket, or AccessDenied if x-amz-expected-bucket-owner names
// another account.
AwsResult<BucketPointer> request_bucket(S3& s3, OperationContext& context);

struct Permission {
    std::string_view action;  // "s3:GetObject"
    std::string resource;
    policy::Context keys = {};  // Condition keys in addition to those of the request.
};
// Returns AccessDenied unless the identity policies, the bucket policy and the public access block allow the
// caller.
AwsResult<> authorize(OperationContext& context, const Bucket& bucket, Permission permission);
bool is_authorized(OperationContext& context, const Bucket& bucket, Permission permission);
// Returns the bucket of the request after checking the permission for an action on it.
AwsResult<BucketPointer> authorized_bucket(S3& s3, OperationContext& context, std::string_view action);

// Returns the condition keys of a request: s3:x-amz-acl, s3:versionid, …
policy::Context request_condition_keys(const OperationContext& context);
// Returns the condition key s3:ObjectCreationOperation: "true" for a request that creates an object, "false"
// for those that only prepare one: CreateMultipartUpload, UploadPart, UploadPartCopy. With it a policy can
// require If-None-Match ("Enforce conditional writes on Amazon S3 buckets").
policy::Context creation_condition_keys(bool creates_object, policy::Context others = {});
// Returns the condition keys of tags; `prefix` is "s3:ExistingObjectTag" or "s3:RequestObjectTag".
policy::Context tag_condition_keys(std::string_view prefix, const Pairs& tags);

}  // namespace integreat::s3
