// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"
#include "http/routing/router.h"

namespace integreat::s3 {

namespace {

// "bucket/key?versionId=…", escaped, perhaps with a slash before it.
struct CopySource {
    std::string bucket;
    std::string key;
    std::optional<std::string> version;
};

Tried<CopySource> parse_source(std::string_view text) {
    auto invalid = [&] {
        return invalid_argument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
                                "x-amz-copy-source", text);
    };
    CopySource source;
    auto whole = text;
    if (auto at = whole.find("?versionId="); at != std::string_view::npos) {
        source.version = std::string(whole.substr(at + 11));
        if (source.version->empty()) return invalid();
        whole = whole.substr(0, at);
    }
    auto decoded = http::percent_decode(whole);
    if (!decoded) return invalid();
    if (decoded->starts_with('/')) decoded->erase(0, 1);
    auto slash = decoded->find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == decoded->size()) return invalid();
    source.bucket = decoded->substr(0, slash);
    source.key = decoded->substr(slash + 1);
    return source;
}

struct Copying {
    BucketPointer from;
    Version version;
};

// The source with the permission to read it, its conditions kept.
Tried<Copying> open_source(S3& s3, Exchange& exchange) {
    const auto& headers = exchange.request.headers;
    auto source = TRY(parse_source(headers.value("x-amz-copy-source")));
    auto owner = headers.get("x-amz-source-expected-bucket-owner");
    if (owner && *owner != s3.account) return access_denied("the source bucket belongs to another account");
    auto bucket = TRY(named_bucket(s3, source.bucket));
    VersionName name;
    if (source.version) name = *source.version;
    auto found =
        find_permitted(s3, exchange, {.bucket = bucket, .key = source.key, .version = name}, "s3:GetObject");
    if (!found) {
        auto error = std::move(found).error();
        if (error.code != "MethodNotAllowed") return error;
        return invalid_request(
            "The source of a copy request may not specifically refer to a delete marker by version id.");
    }
    TRY(check_conditions(headers, *found, "x-amz-copy-source-"));
    return Copying{.from = std::move(bucket), .version = *std::move(found)};
}

Tried<bool> replaces(const http::Headers& headers, std::string_view directive) {
    auto value = headers.get(directive).value_or("COPY");
    if (value != "COPY" && value != "REPLACE")
        return invalid_argument("Unknown " + std::string(directive), directive, value);
    return value == "REPLACE";
}

// What the copy keeps of its source and what the request says anew.
Tried<Version> version_of_copy(Exchange& exchange, const Copying& source) {
    const auto& headers = exchange.request.headers;
    Version copy;
    copy.key = exchange.key;
    bool new_headers = TRY(replaces(headers, "x-amz-metadata-directive"));
    bool new_tags = TRY(replaces(headers, "x-amz-tagging-directive"));
    copy.headers = new_headers ? TRY(kept_headers(headers)) : source.version.headers;
    copy.tags = new_tags ? TRY(tags_of_header(headers)) : source.version.tags;
    copy.storage_class = TRY(storage_class_of(headers));
    bool same_place =
        source.from->name == exchange.bucket && source.version.key == exchange.key && source.version.latest;
    if (same_place && !new_headers && !new_tags && copy.storage_class == source.version.storage_class &&
        !headers.contains("x-amz-server-side-encryption") &&
        !headers.contains("x-amz-website-redirect-location"))
        return invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the "
            "object's metadata, storage class, website redirect location or encryption attributes.");
    return copy;
}

Tried<> permit_copy(Exchange& exchange, const Bucket& to, const Copying& source, const Version& copy) {
    auto resource = object_arn(to.name, exchange.key);
    auto keys = keys_of_tags("s3:RequestObjectTag", copy.tags);
    TRY(permit(exchange, to, {.action = "s3:PutObject", .resource = resource, .keys = keys}));
    if (copy.tags.empty()) return {};
    bool copied = exchange.request.headers.value("x-amz-tagging-directive") != "REPLACE";
    if (copied)
        TRY(permit(exchange, *source.from,
                   {.action = "s3:GetObjectTagging",
                    .resource = object_arn(source.from->name, source.version.key)}));
    return permit(exchange, to, {.action = "s3:PutObjectTagging", .resource = resource, .keys = keys});
}

Tried<ChecksumKind> kind_of_copy(const http::Headers& headers, const Version& source) {
    auto wanted = headers.get("x-amz-checksum-algorithm");
    if (!wanted) return source.checksum.kind;
    auto kind = checksum_kind_from(*wanted);
    if (!kind)
        return invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of "
            "the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    return *kind;
}

Tried<Body> copy_bytes_of(S3& s3, const Version& source, Range range, ChecksumKind kind) {
    BodyWriter writer(*s3.storage, kind);
    auto copied = copy_content(*s3.storage, source, range, writer);
    if (!copied && copied.error().fault == Fault::not_found) return no_such_key(source.key);
    TRY(std::move(copied));
    return TRY(writer.finish());
}

Done answer_copy(XmlText xml, const std::string& etag, const Checksum& checksum, Time modified,
                 http::Headers headers) {
    xml.value("LastModified", iso_time(modified));
    xml.value("ETag", quoted(etag));
    write_checksum(xml, checksum, 0);
    if (checksum.kind != ChecksumKind::none) xml.value("ChecksumType", "FULL_OBJECT");
    return answer_xml(std::move(xml), std::move(headers));
}

AwsError too_large() {
    return invalid_request(
        "The specified copy source is larger than the maximum allowable size for a copy "
        "source: " +
        std::to_string(put_bytes_max));
}

}  // namespace

Done copy_key(S3& s3, Exchange& exchange) {
    auto bucket = TRY(bucket_of(s3, exchange));
    TRY(check_key(exchange.key));
    auto source = TRY(open_source(s3, exchange));
    auto copy = TRY(version_of_copy(exchange, source));
    TRY(permit_copy(exchange, *bucket, source, copy));
    TRY(refuse_what_is_not_there(exchange.request.headers));
    if (source.version.size > put_bytes_max) return too_large();
    auto overwrite = TRY(overwrite_of(exchange.request.headers));
    auto kind = TRY(kind_of_copy(exchange.request.headers, source.version));
    auto body = TRY(copy_bytes_of(s3, source.version, {0, source.version.size}, kind));
    describe(copy, body);
    auto rows = [&](Change& inside) -> Tried<> {
        TRY(body.adopt(inside));
        return {};
    };
    auto written = TRY(write_version(s3,
                                     {.bucket = bucket,
                                      .version = std::move(copy),
                                      .overwrite = std::move(overwrite),
                                      .event = "ObjectCreated:Copy"},
                                     rows));
    http::Headers headers;
    add_version(headers, written);
    if (!source.version.version.empty()) headers.set("x-amz-copy-source-version-id", source.version.version);
    add_encryption(headers, written.headers);
    return answer_copy(XmlText("CopyObjectResult"), written.etag, written.checksum, written.modified,
                       std::move(headers));
}

Done upload_part_copy(S3& s3, Exchange& exchange) {
    auto bucket = TRY(bucket_of(s3, exchange));
    TRY(check_key(exchange.key));
    TRY(permit(exchange, *bucket,
               {.action = "s3:PutObject", .resource = object_arn(bucket->name, exchange.key)}));
    auto source = TRY(open_source(s3, exchange));
    auto number = TRY(part_number_of(exchange));
    auto upload = TRY(upload_of(s3, exchange, *bucket));
    Range range{0, source.version.size};
    if (auto text = exchange.request.headers.get("x-amz-copy-source-range"))
        range = TRY(copy_range(*text, source.version.size));
    if (range.length > put_bytes_max) return too_large();
    auto body = TRY(copy_bytes_of(s3, source.version, range, upload.checksum.kind));
    auto part = part_of(number, body, s3.storage->clock.now());
    auto rows = [&](Change& inside) -> Tried<> {
        if (!TRY(find_upload(inside.transaction, bucket->id, upload.key, upload.id)))
            return no_such_upload(upload.id);
        TRY(body.adopt(inside));
        TRY(put_part(inside, upload, part));
        return {};
    };
    TRY(change(s3, rows));
    http::Headers headers;
    if (!source.version.version.empty()) headers.set("x-amz-copy-source-version-id", source.version.version);
    add_encryption(headers, upload.headers);
    XmlText xml("CopyPartResult");
    xml.value("LastModified", iso_time(part.modified));
    xml.value("ETag", quoted(part.etag));
    write_checksum(xml, part.checksum, 0);
    return answer_xml(std::move(xml), std::move(headers));
}

}  // namespace integreat::s3
