// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/request.h"

#include <charconv>

#include "base/text/utf8.h"
#include "cloud/s3/operations/cors.h"
#include "cloud/s3/operations/public_access.h"
#include "cloud/s3/store/limits.h"
#include "http/routing/request_context.h"
#include "http/routing/router.h"

namespace integreat::s3 {

std::string bucket_arn(std::string_view bucket) {
    return "arn:aws:s3:::" + std::string(bucket);
}

std::string object_arn(std::string_view bucket, std::string_view key) {
    return bucket_arn(bucket) + "/" + std::string(key);
}

Tried<BucketPointer> named_bucket(S3& s3, std::string_view name) {
    auto bucket = TRY(find_bucket(*s3.storage, name));
    if (!bucket) return no_such_bucket(name);
    return bucket;
}

Tried<BucketPointer> bucket_of(S3& s3, Exchange& exchange) {
    auto bucket = TRY(named_bucket(s3, exchange.bucket));
    auto owner = exchange.request.headers.get("x-amz-expected-bucket-owner");
    if (owner && *owner != s3.account) return access_denied("x-amz-expected-bucket-owner is another account");
    return bucket;
}

Tried<> permit(Exchange& exchange, const Bucket& bucket, Permission permission) {
    cloud::Wanted wanted{.action = std::string(permission.action),
                         .resource = std::move(permission.resource),
                         .keys = keys_of_request(exchange)};
    for (auto& key : permission.keys.keys)
        policy::set(wanted.keys, key.name, std::move(key.values));
    if (bucket.policy) {
        bool anonymous = exchange.caller.who.kind == policy::CallerKind::anonymous;
        if (anonymous && restricts_public(bucket) && is_public(*bucket.policy))
            return access_denied("RestrictPublicBuckets of bucket " + bucket.name);
        wanted.resource_policies.push_back(
            {.name = "bucket policy " + bucket.name, .document = bucket.policy});
    }
    if (auto refused = cloud::authorize(exchange, wanted)) return *std::move(refused);
    return {};
}

bool permitted(Exchange& exchange, const Bucket& bucket, Permission permission) {
    return static_cast<bool>(permit(exchange, bucket, std::move(permission)));
}

policy::Context keys_of_request(const Exchange& exchange) {
    policy::Context keys;
    for (const char* name : {"x-amz-acl", "x-amz-copy-source", "x-amz-metadata-directive",
                             "x-amz-server-side-encryption", "x-amz-storage-class", "x-amz-content-sha256",
                             "x-amz-website-redirect-location", "if-match", "if-none-match"}) {
        if (auto value = exchange.request.headers.get(name))
            policy::set(keys, std::string("s3:") + name, std::string(*value));
    }
    if (auto version = exchange.parameter("versionId"))
        policy::set(keys, "s3:VersionId", std::string(*version));
    return keys;
}

policy::Context keys_of_tags(std::string_view prefix, const Pairs& tags) {
    policy::Context keys;
    for (const auto& [name, value] : tags) {
        policy::set(keys, std::string(prefix) + "/" + name, value);
        policy::add(keys, std::string(prefix) + "Keys", name);
    }
    return keys;
}

Tried<BucketPointer> permitted_bucket(S3& s3, Exchange& exchange, std::string_view action) {
    auto bucket = TRY(bucket_of(s3, exchange));
    TRY(permit(exchange, *bucket, {.action = action, .resource = bucket_arn(bucket->name)}));
    return bucket;
}

Tried<> check_key(std::string_view key) {
    if (key.size() > key_bytes_max) return key_too_long(key.size());
    if (invalid_utf8_at(key)) return invalid_argument("The key must be valid UTF-8", "Key", "(not UTF-8)");
    return {};
}

Tried<VersionName> version_of(const Exchange& exchange) {
    auto version = exchange.parameter("versionId");
    if (version && version->empty())
        return invalid_argument("Version id cannot be the empty string", "versionId", "");
    return VersionName(version);
}

Tried<int> number_of(const Exchange& exchange, std::string_view name, int otherwise, int max) {
    auto text = exchange.parameter(name);
    if (!text || text->empty()) return otherwise;
    int number = 0;
    auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (failure == std::errc::result_out_of_range || number < 0) {
        return invalid_argument(
            "Argument " + std::string(name) + " must be an integer between 0 and 2147483647", name, *text);
    }
    if (failure != std::errc() || end != text->data() + text->size())
        return invalid_argument("Provided " + std::string(name) + " not an integer or within integer range",
                                name, *text);
    return std::min(number, max);
}

Tried<> change(S3& s3, const std::function<Tried<>(Change&)>& write) {
    std::optional<AwsError> refused;
    auto committed = commit(*s3.storage, [&](Change& inside) -> Result<> {
        auto written = write(inside);
        if (written) return {};
        refused = std::move(written).error();
        return Error{Fault::conflict, "refused"};
    });
    if (refused) return *std::move(refused);
    if (!committed) return std::move(committed).error();
    return {};
}

Tried<> change_bucket(S3& s3, const Bucket& bucket, const std::function<Tried<>(Change&)>& write) {
    auto changed = change(s3, write);
    forget_bucket(*s3.storage, bucket.name);
    return changed;
}

void tell(S3& s3, std::string_view event, const Bucket& bucket, const Version& version) {
    if (!s3.on_event) return;
    s3.on_event({.name = std::string(event),
                 .at = s3.storage->clock.now(),
                 .bucket = bucket.name,
                 .key = version.key,
                 .version = version.version,
                 .etag = version.etag,
                 .size = version.size,
                 .sequence = version.sequence});
}

Done answer_empty(int status, http::Headers headers) {
    return http::Response(http::Reply{.status = status, .headers = std::move(headers), .body = {}});
}

Done answer_xml(XmlText xml, http::Headers headers) {
    headers.set("Content-Type", "application/xml");
    return http::Response(
        http::Reply{.status = 200, .headers = std::move(headers), .body = std::move(xml).finish()});
}

std::string quoted(std::string_view etag) {
    return "\"" + std::string(etag) + "\"";
}

std::string iso_time(Time time) {
    auto text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
    auto millis =
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
    text.pop_back();
    char fraction[8];
    std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(millis));
    return text + fraction;
}

void add_version(http::Headers& headers, const Version& version) {
    if (!version.version.empty()) headers.set("x-amz-version-id", version.version);
    if (version.marker) headers.set("x-amz-delete-marker", "true");
}

std::string checksum_text(const Checksum& checksum, int part_count) {
    return checksum.composite ? checksum.text + "-" + std::to_string(part_count) : checksum.text;
}

void add_checksum(http::Headers& headers, const Version& version) {
    if (version.checksum.kind == ChecksumKind::none || version.checksum.text.empty()) return;
    headers.set(checksum_header(version.checksum.kind), checksum_text(version.checksum, version.part_count));
    headers.set("x-amz-checksum-type", version.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
}

void add_encryption(http::Headers& headers, const Pairs& kept) {
    for (const auto& [name, value] : kept) {
        if (name.starts_with("x-amz-server-side-encryption")) headers.set(name, value);
    }
}

std::string url_encoded(std::string_view key) {
    std::string encoded;
    while (true) {
        auto slash = key.find('/');
        encoded += http::percent_encode(key.substr(0, slash));
        if (slash == std::string_view::npos) return encoded;
        encoded += '/';
        key.remove_prefix(slash + 1);
    }
}

}  // namespace integreat::s3
