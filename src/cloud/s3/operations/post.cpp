// SPDX-License-Identifier: Apache-2.0
// A browser's form uploads a file: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
#include <algorithm>

#include "cloud/s3/operations/operations.h"
#include "cloud/s3/protocol/form.h"
#include "cloud/s3/protocol/post_policy.h"
#include "cloud/s3/store/limits.h"
#include "http/routing/router.h"

namespace integreat::s3 {

namespace {

struct Posting {
    S3& s3;
    Exchange& exchange;
    BucketPointer bucket;
    FormReader form;
    PostPolicy policy = {};
    Claims claims = {};
    Writing writing = {};
    std::optional<BodyWriter> writer = {};
};

AwsError entity_too_small(std::uint64_t proposed, std::uint64_t least) {
    return {
        .status = 400,
        .code = "EntityTooSmall",
        .message = "Your proposed upload is smaller than the minimum allowed size",
        .details = {{"ProposedSize", std::to_string(proposed)}, {"MinSizeAllowed", std::to_string(least)}}};
}

// "${filename}" in the key is what the user's file is called, without its folders.
std::string key_of(const FormReader& form, std::string_view filename) {
    std::string key(form.field("key"));
    auto at = key.find("${filename}");
    if (at == std::string::npos) return key;
    auto slash = filename.find_last_of("/\\");
    if (slash != std::string_view::npos) filename.remove_prefix(slash + 1);
    return key.replace(at, 11, filename);
}

// Who signed the policy is the caller; without a policy nobody is.
Tried<> authenticate(Posting& posting) {
    const auto& form = posting.form;
    auto policy = form.field("policy");
    if (policy.empty()) return {};
    cloud::SignedForm signed_form{.algorithm = std::string(form.field("x-amz-algorithm")),
                                  .credential = std::string(form.field("x-amz-credential")),
                                  .date = std::string(form.field("x-amz-date")),
                                  .security_token = std::string(form.field("x-amz-security-token")),
                                  .policy = std::string(policy),
                                  .signature = std::string(form.field("x-amz-signature"))};
    if (auto refused = cloud::authenticate_form(posting.exchange, signed_form)) return *std::move(refused);
    posting.policy = TRY(parse_post_policy(policy));
    return check_post_policy(posting.policy, form.fields(), posting.bucket->name,
                             posting.s3.storage->clock.now());
}

// The fields that are headers of a PUT.
Tried<http::Headers> headers_of_form(const FormReader& form) {
    http::Headers headers;
    for (const auto& [name, value] : form.fields()) {
        bool plain = std::none_of(value.begin(), value.end(),
                                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
        if (http::equal_ignoring_case(name, "tagging") || http::equal_ignoring_case(name, "policy")) continue;
        if (!plain) return invalid_argument("The field has control characters", name, "");
        headers.add(
            http::equal_ignoring_case(name, "acl") ? std::string_view("x-amz-acl") : std::string_view(name),
            value);
    }
    return headers;
}

Tried<> begin_file(Posting& posting, const FormReader::File& file) {
    if (posting.form.field("key").empty()) {
        return invalid_argument(
            "Bucket POST must contain a field named 'key'.  If it is specified, please check "
            "the order of the fields.",
            "key", "");
    }
    auto& version = posting.writing.version;
    version.key = key_of(posting.form, file.filename);
    TRY(check_key(version.key));
    TRY(authenticate(posting));
    auto headers = TRY(headers_of_form(posting.form));
    if (auto tagging = posting.form.field("tagging"); !tagging.empty()) {
        auto root = TRY(parse_xml(tagging, "Tagging"));
        version.tags = TRY(read_tag_set(root, object_tags_max));
    }
    auto resource = object_arn(posting.bucket->name, version.key);
    auto keys = keys_of_tags("s3:RequestObjectTag", version.tags);
    TRY(permit(posting.exchange, *posting.bucket,
               {.action = "s3:PutObject", .resource = resource, .keys = keys}));
    if (!version.tags.empty())
        TRY(permit(posting.exchange, *posting.bucket,
                   {.action = "s3:PutObjectTagging", .resource = resource, .keys = keys}));
    TRY(refuse_what_is_not_there(headers));
    version.headers = TRY(kept_headers(headers));
    version.storage_class = TRY(storage_class_of(headers));
    posting.claims = TRY(claims_of(headers));
    posting.writing.overwrite = TRY(overwrite_of(headers));
    posting.writer.emplace(*posting.s3.storage, posting.claims.kind);
    return {};
}

Tried<> take_bytes(Posting& posting, std::string_view bytes) {
    auto size = posting.writer->size() + bytes.size();
    auto most = std::min(posting.policy.bytes_max, put_bytes_max);
    if (size > most) return entity_too_large(size, most);
    TRY(posting.writer->append(bytes));
    return {};
}

std::string location_of(const Posting& posting) {
    return "http://" + std::string(posting.exchange.request.headers.value("host")) + "/" +
           posting.bucket->name + "/" + url_encoded(posting.writing.version.key);
}

// Where the form says the browser shall go, with what was made; empty if it says nothing usable.
std::string redirect_of(const Posting& posting, const Version& version) {
    auto redirect = posting.form.field("success_action_redirect");
    if (redirect.empty()) redirect = posting.form.field("redirect");
    if (!redirect.starts_with("http://") && !redirect.starts_with("https://")) return {};
    return std::string(redirect) + (redirect.find('?') == std::string_view::npos ? "?" : "&") +
           "bucket=" + http::percent_encode(posting.bucket->name) +
           "&key=" + http::percent_encode(version.key) +
           "&etag=" + http::percent_encode(quoted(version.etag));
}

Done answer_posted(const Posting& posting, const Version& version) {
    http::Headers headers;
    headers.set("ETag", quoted(version.etag));
    add_version(headers, version);
    add_checksum(headers, version);
    add_encryption(headers, version.headers);
    if (auto redirect = redirect_of(posting, version); !redirect.empty()) {
        headers.set("Location", redirect);
        return answer_empty(303, std::move(headers));
    }
    auto location = location_of(posting);
    headers.set("Location", location);
    auto status = posting.form.field("success_action_status");
    if (status == "200") return answer_empty(200, std::move(headers));
    if (status != "201") return answer_empty(204, std::move(headers));
    XmlText xml("PostResponse", false);
    xml.value("Location", location);
    xml.value("Bucket", posting.bucket->name);
    xml.value("Key", version.key);
    xml.value("ETag", quoted(version.etag));
    auto answer = TRY(answer_xml(std::move(xml), std::move(headers)));
    std::get<http::Reply>(answer).status = 201;
    return answer;
}

Done finish(Posting& posting) {
    TRY(posting.form.finish());
    ASSERT(posting.writer);
    if (posting.writer->size() < posting.policy.bytes_min)
        return entity_too_small(posting.writer->size(), posting.policy.bytes_min);
    auto body = TRY(posting.writer->finish());
    TRY(check_claims(posting.claims, body, {}));
    auto writing = posting.writing;
    writing.bucket = posting.bucket;
    writing.event = "ObjectCreated:Post";
    describe(writing.version, body);
    auto rows = [&](Change& inside) -> Tried<> {
        TRY(body.adopt(inside));
        return {};
    };
    auto version = TRY(write_version(posting.s3, std::move(writing), rows));
    return answer_posted(posting, version);
}

Tried<std::shared_ptr<Posting>> begin(S3& s3, Exchange& exchange) {
    auto bucket = TRY(bucket_of(s3, exchange));
    auto form = TRY(FormReader::begin(exchange.request.headers.value("content-type")));
    return std::make_shared<Posting>(
        Posting{.s3 = s3, .exchange = exchange, .bucket = std::move(bucket), .form = std::move(form)});
}

}  // namespace

cloud::Reception post_key(S3& s3, Exchange& exchange) {
    auto begun = begin(s3, exchange);
    if (!begun) return std::move(begun).error();
    auto posting = *begun;
    FormReader::Events events{
        .file_begins = [raw = posting.get()](const FormReader::File& file) { return begin_file(*raw, file); },
        .file_bytes = [raw = posting.get()](std::string_view bytes) { return take_bytes(*raw, bytes); }};
    return cloud::BodyReader{.piece = [posting, events](std::string_view bytes) -> std::optional<AwsError> {
                                 auto fed = posting->form.feed(bytes, events);
                                 if (fed) return std::nullopt;
                                 return std::move(fed).error();
                             },
                             .end = [posting](const cloud::Parameters&) -> cloud::Answer {
                                 auto done = finish(*posting);
                                 if (done) return *std::move(done);
                                 return std::move(done).error();
                             }};
}

}  // namespace integreat::s3
