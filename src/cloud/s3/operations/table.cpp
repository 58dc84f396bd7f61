// SPDX-License-Identifier: Apache-2.0
// The operations, which request means which, and how each is described in docs/local-cloud.md.
#include <array>

#include "cloud/s3/operations/bucket_settings.h"
#include "cloud/s3/operations/cors.h"
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

using cloud::Answer;
using cloud::OperationOf;
using cloud::Signing;

template <Done (*operation)(S3&, Exchange&)>
Answer run(S3& s3, Exchange& exchange) {
    auto done = operation(s3, exchange);
    if (done) return *std::move(done);
    return std::move(done).error();
}

// A setting's name as a template argument.
template <std::size_t size>
struct Name {
    constexpr Name(const char (&text)[size]) { std::copy_n(text, size, characters); }
    char characters[size];
};
template <Name name>
Done get_of(S3& s3, Exchange& exchange) {
    return get_setting(s3, exchange, name.characters);
}
template <Name name>
Done put_of(S3& s3, Exchange& exchange) {
    return put_setting(s3, exchange, name.characters);
}
template <Name name>
Done delete_of(S3& s3, Exchange& exchange) {
    return delete_setting(s3, exchange, name.characters);
}

constexpr std::string_view checks = "signature; identity, session, boundary and bucket policies";
constexpr std::string_view data_checks =
    "signature; identity, session, boundary and bucket policies; public access block";
constexpr std::string_view body_checks =
    "the same; SHA-256 of the body, Content-MD5, x-amz-checksum-*, length, conditions";

constexpr auto optional = Signing::optional;

constexpr OperationOf<S3> operations[] = {
    {{"ListBuckets", "All buckets of the account, also by prefix.", checks}, optional, run<list_all_buckets>},
    {{"CreateBucket", "Name rules, location constraint. No object lock.", checks},
     optional,
     run<create_bucket>},
    {{"DeleteBucket", "Only an empty one.", checks}, optional, run<delete_empty_bucket>},
    {{"HeadBucket", "", checks}, optional, run<head_bucket>},
    {{"GetBucketLocation", "", checks}, optional, run<get_location>},
    {{"GetBucketVersioning", "", checks}, optional, run<get_versioning>},
    {{"PutBucketVersioning", "Enabled and suspended. No MFA delete.", checks}, optional, run<put_versioning>},
    {{"GetBucketCors", "", checks}, optional, run<get_of<"cors">>},
    {{"PutBucketCors", "Obeyed by every answer and preflight.", checks}, optional, run<put_of<"cors">>},
    {{"DeleteBucketCors", "", checks}, optional, run<delete_of<"cors">>},
    {{"GetBucketPolicy", "", checks}, optional, run<get_of<"policy">>},
    {{"GetBucketPolicyStatus", "", checks}, optional, run<get_policy_status>},
    {{"PutBucketPolicy", "Enforced.", "the same; grammar of the policy; BlockPublicPolicy"},
     optional,
     run<put_of<"policy">>},
    {{"DeleteBucketPolicy", "", checks}, optional, run<delete_of<"policy">>},
    {{"GetPublicAccessBlock", "", checks}, optional, run<get_of<"publicAccessBlock">>},
    {{"PutPublicAccessBlock", "Policies are blocked and restricted; ACLs do not exist.", checks},
     optional,
     run<put_of<"publicAccessBlock">>},
    {{"DeletePublicAccessBlock", "", checks}, optional, run<delete_of<"publicAccessBlock">>},
    {{"GetBucketEncryption", "", checks}, optional, run<get_of<"encryption">>},
    {{"PutBucketEncryption", "Kept and shown; bytes are not encrypted on this disk.", checks},
     optional,
     run<put_of<"encryption">>},
    {{"DeleteBucketEncryption", "", checks}, optional, run<delete_of<"encryption">>},
    {{"GetBucketTagging", "", checks}, optional, run<get_of<"tagging">>},
    {{"PutBucketTagging", "", checks}, optional, run<put_of<"tagging">>},
    {{"DeleteBucketTagging", "", checks}, optional, run<delete_of<"tagging">>},
    {{"GetBucketLifecycleConfiguration", "", checks}, optional, run<get_of<"lifecycle">>},
    {{"PutBucketLifecycleConfiguration", "Checked, kept and shown; nothing expires or moves.", checks},
     optional,
     run<put_of<"lifecycle">>},
    {{"DeleteBucketLifecycle", "", checks}, optional, run<delete_of<"lifecycle">>},
    {{"GetBucketOwnershipControls", "", checks}, optional, run<get_of<"ownershipControls">>},
    {{"PutBucketOwnershipControls", "BucketOwnerEnforced only.", checks},
     optional,
     run<put_of<"ownershipControls">>},
    {{"DeleteBucketOwnershipControls", "", checks}, optional, run<delete_of<"ownershipControls">>},
    {{"GetBucketAcl", "The owner's, as buckets without ACLs have it.", checks},
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
    {{"HeadObject", "As GetObject.", data_checks}, optional, run<head_key>},
    {{"GetObjectAttributes", "Without the list of parts.", data_checks}, optional, run<get_attributes>},
    {{"GetObjectAcl", "The owner's.", checks}, optional, run<get_key_acl>},
    {{"PutObject", "Metadata, tags, checksums, trailers, If-Match, If-None-Match: *.", body_checks},
     optional,
     nullptr,
     put_key},
    {{"PostObject", "Form uploads with a policy, all its conditions, redirects.",
      "signature of the policy; its conditions; identity, session, boundary and bucket policies"},
     Signing::none,
     nullptr,
     post_key},
    {{"CopyObject", "Up to 5 GiB; metadata and tags copied or replaced, conditions.", data_checks},
     optional,
     run<copy_key>},
    {{"DeleteObject", "Versions and delete markers.", data_checks}, optional, run<delete_key>},
    {{"DeleteObjects", "Up to 1,000 keys, each with its own permission.", data_checks},
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
    std::string_view get, put, del;  // Empty: there is no such operation here.
};

constexpr std::array<Subresource, 9> of_buckets{{
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

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> of_buckets_read{
    {{"location", "GetBucketLocation"},
     {"policyStatus", "GetBucketPolicyStatus"},
     {"versions", "ListObjectVersions"},
     {"uploads", "ListMultipartUploads"}}};

// What AWS has besides: named so that it is refused and not taken for something else.
constexpr std::array<std::string_view, 20> elsewhere{"accelerate",
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

bool names_something_else(const Exchange& exchange) {
    for (auto name : elsewhere) {
        if (exchange.parameter(name)) return true;
    }
    return false;
}

std::string_view find_of_bucket(const Exchange& exchange) {
    auto method = exchange.request.method;
    for (const auto& one : of_buckets) {
        if (!exchange.parameter(one.parameter)) continue;
        if (method == Method::get) return one.get;
        if (method == Method::put) return one.put;
        return method == Method::del ? one.del : std::string_view();
    }
    switch (method) {
        case Method::get:
            for (const auto& [parameter, operation] : of_buckets_read) {
                if (exchange.parameter(parameter)) return operation;
            }
            return exchange.parameter("list-type") == "2" ? "ListObjectsV2" : "ListObjects";
        case Method::head: return "HeadBucket";
        case Method::put: return "CreateBucket";
        case Method::del: return "DeleteBucket";
        case Method::post: return exchange.parameter("delete") ? "DeleteObjects" : "PostObject";
        default: return {};
    }
}

std::string_view find_of_key(const Exchange& exchange) {
    bool copies = exchange.request.headers.contains("x-amz-copy-source");
    bool upload = exchange.parameter("uploadId").has_value();
    bool tags = exchange.parameter("tagging").has_value();
    bool acl = exchange.parameter("acl").has_value();
    switch (exchange.request.method) {
        case Method::get:
            if (acl) return "GetObjectAcl";
            if (tags) return "GetObjectTagging";
            if (exchange.parameter("attributes")) return "GetObjectAttributes";
            return upload ? "ListParts" : "GetObject";
        case Method::head: return "HeadObject";
        case Method::put:
            if (acl) return {};
            if (tags) return "PutObjectTagging";
            if (upload) return copies ? "UploadPartCopy" : "UploadPart";
            return copies ? "CopyObject" : "PutObject";
        case Method::del:
            if (tags) return "DeleteObjectTagging";
            return upload ? "AbortMultipartUpload" : "DeleteObject";
        case Method::post:
            if (exchange.parameter("uploads")) return "CreateMultipartUpload";
            return upload ? "CompleteMultipartUpload" : std::string_view();
        default: return {};
    }
}

std::string_view find_operation(const Exchange& exchange) {
    if (names_something_else(exchange)) return {};
    if (exchange.bucket.empty())
        return exchange.request.method == Method::get ? std::string_view("ListBuckets") : std::string_view();
    return exchange.key.empty() ? find_of_bucket(exchange) : find_of_key(exchange);
}

}  // namespace

Result<std::unique_ptr<S3>> open_s3(const std::string& folder, const Clock& clock, Random& random) {
    auto storage = TRY(open_storage(folder, clock, random));
    return std::unique_ptr<S3>(new S3{.storage = std::move(storage)});
}

cloud::Api api(S3& s3) {
    return {.name = "s3",
            .title = "Amazon S3",
            .signing_name = "s3",
            .protocol = cloud::Protocol::rest_xml,
            .operations = cloud::bind<S3>(s3, operations),
            .find = find_operation,
            .preflight = [&s3](Exchange& exchange) { return answer_preflight(s3, exchange); },
            .add_cors = [&s3](const Exchange& exchange,
                              http::Headers& headers) { add_cors(s3, exchange, headers); }};
}

Result<> ensure_setting(S3& s3, const std::string& bucket, std::string_view name,
                        const std::string& document) {
    auto found = TRY(find_bucket(*s3.storage, bucket));
    if (!found) return Error{Fault::not_found, "there is no bucket " + bucket};
    auto kept = keep_setting(s3, *found, name, document);
    if (kept) return {};
    auto error = std::move(kept).error();
    return Error{Fault::invalid, error.message, error.cause};
}

}  // namespace integreat::s3
