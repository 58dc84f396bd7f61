// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/authorization.h"

#include "cloud/aws/auth/authorize.h"
#include "cloud/s3/protocol/bucket_settings.h"
#include "http/routing/request_context.h"

namespace integreat::s3 {

std::string bucket_arn(std::string_view bucket) {
    return "arn:aws:s3:::" + std::string(bucket);
}

std::string object_arn(std::string_view bucket, std::string_view key) {
    return bucket_arn(bucket) + "/" + std::string(key);
}

AwsResult<BucketPointer> require_bucket(S3& s3, std::string_view name) {
    auto bucket = TRY(to_aws_result(find_bucket(*s3.storage, name)));
    if (!bucket) return no_such_bucket(name);
    return bucket;
}

AwsResult<BucketPointer> request_bucket(S3& s3, OperationContext& context) {
    auto bucket = TRY(require_bucket(s3, context.bucket));
    auto owner = context.request.headers.get("x-amz-expected-bucket-owner");
    if (owner && *owner != s3.account) return access_denied("x-amz-expected-bucket-owner is another account");
    return bucket;
}

AwsResult<> authorize(OperationContext& context, const Bucket& bucket, Permission permission) {
    cloud::AuthorizationRequest request{.action = std::string(permission.action),
                                        .resource = std::move(permission.resource),
                                        .keys = request_condition_keys(context)};
    for (auto& key : permission.keys.keys)
        policy::set(request.keys, key.name, std::move(key.values));
    if (bucket.policy) {
        bool anonymous = context.caller.principal.kind == policy::CallerKind::anonymous;
        if (anonymous && restricts_public_access(bucket) && is_public_policy(*bucket.policy))
            return access_denied("RestrictPublicBuckets of bucket " + bucket.name);
        request.resource_policies.push_back(
            {.name = "bucket policy " + bucket.name, .document = bucket.policy});
    }
    return cloud::authorize(context, request);
}

bool is_authorized(OperationContext& context, const Bucket& bucket, Permission permission) {
    return static_cast<bool>(authorize(context, bucket, std::move(permission)));
}

policy::Context request_condition_keys(const OperationContext& context) {
    policy::Context keys;
    // The headers of a form upload are not those of the object: they must satisfy no condition on it.
    bool is_form = context.request.method == http::Method::post && context.key.empty();
    for (const char* name : {"x-amz-acl", "x-amz-copy-source", "x-amz-metadata-directive",
                             "x-amz-server-side-encryption", "x-amz-storage-class", "x-amz-content-sha256",
                             "x-amz-website-redirect-location", "if-match", "if-none-match"}) {
        auto value = is_form ? std::nullopt : context.request.headers.get(name);
        if (value) policy::set(keys, std::string("s3:") + name, std::string(*value));
    }
    if (auto version = context.parameter("versionId"))
        policy::set(keys, "s3:VersionId", std::string(*version));
    return keys;
}

policy::Context creation_condition_keys(bool creates_object, policy::Context others) {
    policy::set(others, "s3:ObjectCreationOperation", creates_object ? "true" : "false");
    return others;
}

policy::Context tag_condition_keys(std::string_view prefix, const Pairs& tags) {
    policy::Context keys;
    for (const auto& [name, value] : tags) {
        policy::set(keys, std::string(prefix) + "/" + name, value);
        policy::add(keys, std::string(prefix) + "Keys", name);
    }
    return keys;
}

AwsResult<BucketPointer> authorized_bucket(S3& s3, OperationContext& context, std::string_view action) {
    auto bucket = TRY(request_bucket(s3, context));
    TRY(authorize(context, *bucket, {.action = action, .resource = bucket_arn(bucket->name)}));
    return bucket;
}

}  // namespace integreat::s3
