// SPDX-License-Identifier: Apache-2.0
// Browser form uploads: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
#include <algorithm>

#include "base/text/ascii.h"
#include "cloud/aws/auth/authentication.h"
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/protocol/form.h"
#include "cloud/s3/protocol/post_policy.h"
#include "cloud/s3/store/limits.h"
#include "http/routing/target.h"

namespace integreat::s3 {

namespace {

struct PostRequest {
    S3& s3;
    OperationContext& context;
    BucketPointer bucket;
    FormReader form;
    PostPolicy policy = {};
    DeclaredChecksums declared = {};
    PendingVersion pending = {};
    std::optional<BlobWriter> writer = {};
};

AwsError entity_too_small(std::uint64_t proposed, std::uint64_t bytes_min) {
    return {.status = 400,
            .code = "EntityTooSmall",
            .message = "Your proposed upload is smaller than the minimum allowed size",
            .details = {{"ProposedSize", std::to_string(proposed)},
                        {"MinSizeAllowed", std::to_string(bytes_min)}}};
}

// Replaces "${filename}" in the key with the name of the user's file, without its folders.
std::string resolve_key(const FormReader& form, std::string_view filename) {
    std::string key(form.field("key"));
    auto at = key.find("${filename}");
    if (at == std::string::npos) return key;
    auto slash = filename.find_last_of("/\\");
    if (slash != std::string_view::npos) filename.remove_prefix(slash + 1);
    return key.replace(at, 11, filename);
}

// Sets the signer of the policy as the caller. Without a policy the caller stays anonymous.
AwsResult<> authenticate(PostRequest& post) {
    const auto& form = post.form;
    auto policy = form.field("policy");
    if (policy.empty()) return {};
    cloud::SignedForm signed_form{.algorithm = std::string(form.field("x-amz-algorithm")),
                                  .credential = std::string(form.field("x-amz-credential")),
                                  .date = std::string(form.field("x-amz-date")),
                                  .security_token = std::string(form.field("x-amz-security-token")),
                                  .policy = std::string(policy),
                                  .signature = std::string(form.field("x-amz-signature"))};
    TRY(cloud::authenticate_form(post.context, signed_form));
    post.policy = TRY(parse_post_policy(policy));
    return check_post_policy(post.policy, form.fields(), post.bucket->name, post.s3.storage->clock.now());
}

// Returns the form fields that correspond to headers of a PUT.
AwsResult<http::Headers> form_headers(const FormReader& form) {
    http::Headers headers;
    for (const auto& [name, value] : form.fields()) {
        bool printable = std::none_of(value.begin(), value.end(), [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        });
        if (iequals(name, "tagging") || iequals(name, "policy")) continue;
        if (!printable) return invalid_argument("The field has control characters", name, "");
        headers.add(iequals(name, "acl") ? std::string_view("x-amz-acl") : std::string_view(name), value);
    }
    return headers;
}

AwsResult<> start_file(PostRequest& post, const FormReader::File& file) {
    if (post.form.field("key").empty()) {
        return invalid_argument(
            "Bucket POST must contain a field named 'key'.  If it is specified, please check "
            "the order of the fields.",
            "key", "");
    }
    auto& version = post.pending.version;
    version.key = resolve_key(post.form, file.filename);
    TRY(check_key(version.key));
    TRY(authenticate(post));
    auto headers = TRY(form_headers(post.form));
    if (auto tagging = post.form.field("tagging"); !tagging.empty()) {
        auto root = TRY(parse_xml(tagging, "Tagging"));
        version.tags = TRY(parse_tag_set(root, object_tags_max));
    }
    auto resource = object_arn(post.bucket->name, version.key);
    auto keys = tag_condition_keys("s3:RequestObjectTag", version.tags);
    TRY(authorize(
        post.context, *post.bucket,
        {.action = "s3:PutObject", .resource = resource, .keys = creation_condition_keys(true, keys)}));
    if (!version.tags.empty())
        TRY(authorize(post.context, *post.bucket,
                      {.action = "s3:PutObjectTagging", .resource = resource, .keys = keys}));
    TRY(reject_unsupported_headers(headers));
    version.headers = TRY(parse_stored_headers(headers));
    version.storage_class = TRY(parse_storage_class(headers));
    post.declared = TRY(parse_declared_checksums(headers));
    post.pending.overwrite = TRY(parse_overwrite(headers));
    post.writer.emplace(*post.s3.storage, post.declared.kind);
    return {};
}

AwsResult<> append_bytes(PostRequest& post, std::string_view bytes) {
    auto size = post.writer->size() + bytes.size();
    auto bytes_max = std::min(post.policy.max_bytes, put_bytes_max);
    if (size > bytes_max) return entity_too_large(size, bytes_max);
    TRY(to_aws_result(post.writer->append(bytes)));
    return {};
}

std::string object_location(const PostRequest& post) {
    return "http://" + std::string(post.context.request.headers.value("host")) + "/" + post.bucket->name +
           "/" + url_encode(post.pending.version.key);
}

// Returns the redirect URL of the form with the created object; empty if it has no usable one.
std::string redirect_location(const PostRequest& post, const Version& version) {
    auto redirect = post.form.field("success_action_redirect");
    if (redirect.empty()) redirect = post.form.field("redirect");
    if (!redirect.starts_with("http://") && !redirect.starts_with("https://")) return {};
    return std::string(redirect) + (redirect.find('?') == std::string_view::npos ? "?" : "&") +
           "bucket=" + http::percent_encode(post.bucket->name) + "&key=" + http::percent_encode(version.key) +
           "&etag=" + http::percent_encode(quote_etag(version.etag));
}

AwsResult<http::Response> post_response(const PostRequest& post, const Version& version) {
    http::Headers headers;
    headers.set("ETag", quote_etag(version.etag));
    add_version_headers(headers, version);
    add_checksum_headers(headers, version);
    add_encryption_headers(headers, version.headers);
    if (auto redirect = redirect_location(post, version); !redirect.empty()) {
        headers.set("Location", redirect);
        return empty_response(303, std::move(headers));
    }
    auto location = object_location(post);
    headers.set("Location", location);
    auto status = post.form.field("success_action_status");
    if (status == "200") return empty_response(200, std::move(headers));
    if (status != "201") return empty_response(204, std::move(headers));
    XmlWriter xml("PostResponse", false);
    xml.value("Location", location);
    xml.value("Bucket", post.bucket->name);
    xml.value("Key", version.key);
    xml.value("ETag", quote_etag(version.etag));
    auto response = TRY(xml_response(std::move(xml), std::move(headers)));
    std::get<http::FullResponse>(response).status = 201;
    return response;
}

AwsResult<http::Response> finish(PostRequest& post) {
    TRY(post.form.finish());
    ASSERT(post.writer);
    if (post.writer->size() < post.policy.bytes_min)
        return entity_too_small(post.writer->size(), post.policy.bytes_min);
    auto blob = TRY(to_aws_result(post.writer->finish()));
    TRY(verify_checksums(post.declared, blob, {}));
    auto pending = post.pending;
    pending.bucket = post.bucket;
    pending.event = "ObjectCreated:Post";
    set_content(pending.version, blob);
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        TRY(to_aws_result(blob.attach_to(writes)));
        return {};
    };
    auto version = TRY(write_version(post.s3, std::move(pending), rows));
    return post_response(post, version);
}

AwsResult<std::shared_ptr<PostRequest>> make_post_request(S3& s3, OperationContext& context) {
    auto bucket = TRY(request_bucket(s3, context));
    auto form = TRY(FormReader::make(context.request.headers.value("content-type")));
    return std::make_shared<PostRequest>(
        PostRequest{.s3 = s3, .context = context, .bucket = std::move(bucket), .form = std::move(form)});
}

}  // namespace

cloud::StreamedOperation post_key(S3& s3, OperationContext& context) {
    auto request = make_post_request(s3, context);
    if (!request) return std::move(request).error();
    auto post = *request;
    FormReader::Events events{
        .on_file = [raw = post.get()](const FormReader::File& file) { return start_file(*raw, file); },
        .on_file_bytes = [raw = post.get()](std::string_view bytes) { return append_bytes(*raw, bytes); }};
    return cloud::BodyReader{.on_chunk = [post, events](std::string_view bytes) -> std::optional<AwsError> {
                                 auto result = post->form.feed(bytes, events);
                                 if (result) return std::nullopt;
                                 return std::move(result).error();
                             },
                             .on_end = [post](const cloud::Parameters&) -> cloud::OperationResult {
                                 auto response = finish(*post);
                                 if (response) return *std::move(response);
                                 return std::move(response).error();
                             }};
}

}  // namespace integreat::s3
