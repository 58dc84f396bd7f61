// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/table.h"

#include <array>

#include "cloud/s3/operations/bucket_settings.h"
#include "cloud/s3/operations/cors.h"
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/protocol/bucket_settings.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

using cloud::OperationEntry;
using cloud::OperationResult;
using cloud::Signing;

template <AwsResult<http::Response> (*operation)(S3&, OperationContext&)>
OperationResult run(S3& s3, OperationContext& context) {
    auto result = operation(s3, context);
    if (result) return *std::move(result);
    return std::move(result).error();
}

// A setting's name as a template argument.
template <std::size_t size>
struct Name {
    constexpr Name(const char (&text)[size]) { std::copy_n(text, size, characters); }
    char characters[size];
};
template <Name name>
AwsResult<http::Response> get_setting_named(S3& s3, OperationContext& context) {
    return get_setting(s3, context, name.characters);
}
template <Name name>
AwsResult<http::Response> put_setting_named(S3& s3, OperationContext& context) {
    return put_setting(s3, context, name.characters);
}
template <Name name>
AwsResult<http::Response> delete_setting_named(S3& s3, OperationContext& context) {
    return delete_setting(s3, context, name.characters);
}

constexpr std::string_view checks = "signature; identity, session, boundary and bucket policies";
constexpr std::string_view data_checks =
    "signature; identity, session, boundary and bucket policies; public access block";
constexpr std::string_view body_checks =
    "same checks; SHA-256 of the body, Content-MD5, x-amz-checksum-*, length, conditions";

constexpr auto optional = Signing::optional;

constexpr OperationEntry<S3> operations[] = {
    {{"ListBuckets", "All buckets of the account, optionally by prefix.", checks},
     optional,
     run<list_all_buckets>},
    {{"CreateBucket", "Naming rules, location constraint. No object lock.", checks},
     optional,
     run<create_bucket>},
    {{"DeleteBucket", "Empty buckets only.", checks}, optional, run<delete_empty_bucket>},
    {{"HeadBucket", "", checks}, optional, run<head_bucket>},
    {{"GetBucketLocation", "", checks}, optional, run<get_location>},
    {{"GetBucketVersioning", "", checks}, optional, run<get_versioning>},
    {{"PutBucketVersioning", "Enabled and suspended. No MFA delete.", checks}, optional, run<put_versioning>},
    {{"GetBucketCors", "", checks}, optional, run<get_setting_named<"cors">>},
    {{"PutBucketCors", "Applied to every response and preflight.", checks},
     optional,
     run<put_setting_named<"cors">>},
    {{"DeleteBucketCors", "", checks}, optional, run<delete_setting_named<"cors">>},
    {{"GetBucketPolicy", "", checks}, optional, run<get_setting_named<"policy">>},
    {{"GetBucketPolicyStatus", "", checks}, optional, run<get_policy_status>},
    {{"PutBucketPolicy", "Enforced.", "same checks; policy grammar; BlockPublicPolicy"},
     optional,
     run<put_setting_named<"policy">>},
    {{"DeleteBucketPolicy", "", checks}, optional, run<delete_setting_named<"policy">>},
    {{"GetPublicAccessBlock", "", checks}, optional, run<get_setting_named<"publicAccessBlock">>},
    {{"PutPublicAccessBlock", "Blocks and restricts public policies; there are no ACLs.", checks},
     optional,
     run<put_setting_named<"publicAccessBlock">>},
    {{"DeletePublicAccessBlock", "", checks}, optional, run<delete_setting_named<"publicAccessBlock">>},
    {{"GetBucketEncryption", "", checks}, optional, run<get_setting_named<"encryption">>},
    {{"PutBucketEncryption", "Stored and returned; the bytes on disk are not encrypted.", checks},
     optional,
     run<put_setting_named<"encryption">>},
    {{"DeleteBucketEncryption", "", checks}, optional, run<delete_setting_named<"encryption">>},
    {{"GetBucketTagging", "", checks}, optional, run<get_setting_named<"tagging">>},
    {{"PutBucketTagging", "", checks}, optional, run<put_setting_named<"tagging">>},
    {{"DeleteBucketTagging", "", checks}, optional, run<delete_setting_named<"tagging">>},
    {{"GetBucketLifecycleConfiguration", "", checks}, optional, run<get_setting_named<"lifecycle">>},
    {{"PutBucketLifecycleConfiguration",
      "Validated, stored and returned; nothing expires or changes its storage class.", checks},
     optional,
     run<put_setting_named<"lifecycle">>},
    {{"DeleteBucketLifecycle", "", checks}, optional, run<delete_setting_named<"lifecycle">>},
    {{"GetBucketOwnershipControls", "", checks}, optional, run<get_setting_named<"ownershipControls">>},
    {{"PutBucketOwnershipControls", "BucketOwnerEnforced only.", checks},
     optional,
     run<put_setting_named<"ownershipControls">>},
    {{"DeleteBucketOwnershipControls", "", checks}, optional, run<delete_setting_named<"ownershipControls">>},
    {{"GetBucketAcl", "The owner's ACL, as for buckets without ACLs.", checks},
     optional,
     run<get_bucket_acl>},
    {{"ListObjects", "Prefix, delimiter, marker, encoding-type.", checks}, optional, run<list_keys>},
    {{"ListObjectsV2", "Prefix, delimiter, start-after, continuation, encoding-type.", checks},
     optional,
     run<list_keys_v2>},
    {{"ListObjectVersions", "Versions and delete markers.", checks}, optional, run<list_key_versions>},
    {{"ListMultipartUploads", "", checks}, optional, run<list_open_uploads>},
    {{"GetObject", "Ranges, conditions, versions, parts, response headers.", data_checks},
     optional,
     run<get_key>},
    {{"HeadObject", "Like GetObject.", data_checks}, optional, run<head_key>},
    {{"GetObjectAttributes", "Without the list of parts.", data_checks}, optional, run<get_attributes>},
    {{"GetObjectAcl", "The owner's ACL.", checks}, optional, run<get_key_acl>},
    {{"PutObject", "Metadata, tags, checksums, trailers, If-Match, If-None-Match: *.", body_checks},
     optional,
     nullptr,
     put_key},
    {{"PostObject", "Form uploads with a policy, all policy conditions, redirects.",
      "signature of the policy; its conditions; identity, session, boundary and bucket policies"},
     Signing::none,
     nullptr,
     post_key},
    {{"CopyObject", "Up to 5 GiB; metadata and tags copied or replaced, conditions.", data_checks},
     optional,
     run<copy_key>},
    {{"DeleteObject", "Versions and delete markers.", data_checks}, optional, run<delete_key>},
    {{"DeleteObjects", "Up to 1,000 keys, with a permission check for each.", data_checks},
     optional,
     run<delete_keys>,
     nullptr,
     delete_body_bytes_max},
    {{"GetObjectTagging", "", data_checks}, optional, run<get_tags>},
    {{"PutObjectTagging", "", data_checks}, optional, run<put_tags>},
    {{"DeleteObjectTagging", "", data_checks}, optional, run<delete_tags>},
    {{"CreateMultipartUpload", "Composite and full-object checksums.", data_checks},
     optional,
     run<create_upload>},
    {{"UploadPart", "", body_checks}, optional, nullptr, upload_part},
    {{"UploadPartCopy", "", data_checks}, optional, run<upload_part_copy>},
    {{"ListParts", "", data_checks}, optional, run<list_upload_parts>},
    {{"CompleteMultipartUpload", "Order, sizes, ETags, checksums, conditions.", data_checks},
     optional,
     run<complete_upload>,
     nullptr,
     complete_body_bytes_max},
    {{"AbortMultipartUpload", "", data_checks}, optional, run<abort_upload>},
};

struct Subresource {
    std::string_view parameter;
    std::string_view get, put, del;  // Empty if the operation does not exist.
};

constexpr std::array<Subresource, 9> bucket_subresources{{
    {"versioning", "GetBucketVersioning", "PutBucketVersioning", ""},
    {"cors", "GetBucketCors", "PutBucketCors", "DeleteBucketCors"},
    {"policy", "GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"},
    {"publicAccessBlock", "GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"},
    {"encryption", "GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"},
    {"tagging", "GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging"},
    {"lifecycle", "GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration",
     "DeleteBucketLifecycle"},
    {"ownershipControls", "GetBucketOwnershipControls", "PutBucketOwnershipControls",
     "DeleteBucketOwnershipControls"},
    {"acl", "GetBucketAcl", "", ""},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> bucket_queries{
    {{"location", "GetBucketLocation"},
     {"policyStatus", "GetBucketPolicyStatus"},
     {"versions", "ListObjectVersions"},
     {"uploads", "ListMultipartUploads"}}};

// Unsupported subresources, refused instead of being mistaken for another operation.
constexpr std::array<std::string_view, 20> unsupported_subresources{"accelerate",
                                                                    "analytics",
                                                                    "intelligent-tiering",
                                                                    "inventory",
                                                                    "logging",
                                                                    "metrics",
                                                                    "notification",
                                                                    "object-lock",
                                                                    "replication",
                                                                    "requestPayment",
                                                                    "website",
                                                                    "legal-hold",
                                                                    "retention",
                                                                    "restore",
                                                                    "select",
                                                                    "torrent",
                                                                    "metadataTable",
                                                                    "session",
                                                                    "abac",
                                                                    "metadataConfiguration"};

using http::Method;

bool has_unsupported_subresource(const OperationContext& context) {
    for (auto name : unsupported_subresources) {
        if (context.parameter(name)) return true;
    }
    return false;
}

std::string_view find_bucket_operation(const OperationContext& context) {
    auto method = context.request.method;
    for (const auto& one : bucket_subresources) {
        if (!context.parameter(one.parameter)) continue;
        if (method == Method::get) return one.get;
        if (method == Method::put) return one.put;
        return method == Method::del ? one.del : std::string_view();
    }
    switch (method) {
        case Method::get:
            for (const auto& [parameter, operation] : bucket_queries) {
                if (context.parameter(parameter)) return operation;
            }
            return context.parameter("list-type") == "2" ? "ListObjectsV2" : "ListObjects";
        case Method::head: return "HeadBucket";
        case Method::put: return "CreateBucket";
        case Method::del: return "DeleteBucket";
        case Method::post: return context.parameter("delete") ? "DeleteObjects" : "PostObject";
        default: return {};
    }
}

std::string_view find_object_operation(const OperationContext& context) {
    bool is_copy = context.request.headers.contains("x-amz-copy-source");
    bool upload = context.parameter("uploadId").has_value();
    bool tags = context.parameter("tagging").has_value();
    bool acl = context.parameter("acl").has_value();
    switch (context.request.method) {
        case Method::get:
            if (acl) return "GetObjectAcl";
            if (tags) return "GetObjectTagging";
            if (context.parameter("attributes")) return "GetObjectAttributes";
            return upload ? "ListParts" : "GetObject";
        case Method::head: return "HeadObject";
        case Method::put:
            if (acl) return {};
            if (tags) return "PutObjectTagging";
            if (upload) return is_copy ? "UploadPartCopy" : "UploadPart";
            return is_copy ? "CopyObject" : "PutObject";
        case Method::del:
            if (tags) return "DeleteObjectTagging";
            return upload ? "AbortMultipartUpload" : "DeleteObject";
        case Method::post:
            if (context.parameter("uploads")) return "CreateMultipartUpload";
            return upload ? "CompleteMultipartUpload" : std::string_view();
        default: return {};
    }
}

std::string_view find_operation(const OperationContext& context) {
    if (has_unsupported_subresource(context)) return {};
    if (context.bucket.empty())
        return context.request.method == Method::get ? std::string_view("ListBuckets") : std::string_view();
    return context.key.empty() ? find_bucket_operation(context) : find_object_operation(context);
}

}  // namespace

Result<std::unique_ptr<S3>> open_s3(const std::string& folder, const Clock& clock, Random& random) {
    auto storage = TRY(open_storage(folder, clock, random, compile_settings));
    return std::unique_ptr<S3>(new S3{.storage = std::move(storage)});
}

cloud::Api api(S3& s3) {
    return {.name = "s3",
            .title = "Amazon S3",
            .signing_name = "s3",
            .protocol = cloud::Protocol::rest_xml,
            .operations = cloud::bind<S3>(s3, operations),
            .find_operation = find_operation,
            .preflight = [&s3](OperationContext& context) { return handle_preflight(s3, context); },
            .add_cors = [&s3](const OperationContext& context,
                              http::Headers& headers) { add_cors(s3, context, headers); }};
}

}  // namespace integreat::s3
