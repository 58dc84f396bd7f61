// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"
#include "http/routing/router.h"
#include "http/routing/target.h"

namespace integreat::s3 {

namespace {

// The header x-amz-copy-source: "bucket/key?versionId=…", percent-encoded, with an optional leading slash.
struct CopySource {
    std::string bucket;
    std::string key;
    std::optional<std::string> version;
};

AwsResult<CopySource> parse_copy_source(std::string_view text) {
    auto invalid = [&] {
        return invalid_argument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
                                "x-amz-copy-source", text);
    };
    CopySource source;
    auto path = text;
    if (auto at = path.find("?versionId="); at != std::string_view::npos) {
        source.version = std::string(path.substr(at + 11));
        if (source.version->empty()) return invalid();
        path = path.substr(0, at);
    }
    auto decoded = http::percent_decode(path);
    if (!decoded) return invalid();
    if (decoded->starts_with('/')) decoded->erase(0, 1);
    auto slash = decoded->find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == decoded->size()) return invalid();
    source.bucket = decoded->substr(0, slash);
    source.key = decoded->substr(slash + 1);
    return source;
}

// The source of a copy.
struct SourceVersion {
    BucketPointer bucket;
    Version version;
};

// Returns the source of a copy after checking the read permission and its conditions.
AwsResult<SourceVersion> find_copy_source(S3& s3, OperationContext& context) {
    const auto& headers = context.request.headers;
    auto source = TRY(parse_copy_source(headers.value("x-amz-copy-source")));
    auto owner = headers.get("x-amz-source-expected-bucket-owner");
    if (owner && *owner != s3.account) return access_denied("the source bucket belongs to another account");
    auto bucket = TRY(require_bucket(s3, source.bucket));
    RequestedVersion name;
    if (source.version) name = *source.version;
    auto version =
        find_authorized(s3, context, {.bucket = bucket, .key = source.key, .version = name}, "s3:GetObject");
    if (!version) {
        auto error = std::move(version).error();
        if (error.code != "MethodNotAllowed") return error;
        return invalid_request(
            "The source of a copy request may not specifically refer to a delete marker by version id.");
    }
    TRY(check_conditions(headers, *version, "x-amz-copy-source-"));
    return SourceVersion{.bucket = std::move(bucket), .version = *std::move(version)};
}

AwsResult<bool> replaces(const http::Headers& headers, std::string_view directive) {
    auto value = headers.get(directive).value_or("COPY");
    if (value != "COPY" && value != "REPLACE")
        return invalid_argument("Unknown " + std::string(directive), directive, value);
    return value == "REPLACE";
}

// Makes the destination version from the source and the headers of the request.
AwsResult<Version> make_copy(OperationContext& context, const SourceVersion& source) {
    const auto& headers = context.request.headers;
    Version copy;
    copy.key = context.key;
    bool new_headers = TRY(replaces(headers, "x-amz-metadata-directive"));
    bool new_tags = TRY(replaces(headers, "x-amz-tagging-directive"));
    copy.headers = new_headers ? TRY(parse_stored_headers(headers)) : source.version.headers;
    copy.tags = new_tags ? TRY(parse_tagging_header(headers)) : source.version.tags;
    copy.storage_class = TRY(parse_storage_class(headers));
    bool same_object =
        source.bucket->name == context.bucket && source.version.key == context.key && source.version.latest;
    if (same_object && !new_headers && !new_tags && copy.storage_class == source.version.storage_class &&
        !headers.contains("x-amz-server-side-encryption") &&
        !headers.contains("x-amz-website-redirect-location"))
        return invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes.");
    return copy;
}

AwsResult<> authorize_copy(OperationContext& context, const Bucket& destination, const SourceVersion& source,
                           const Version& copy) {
    auto resource = object_arn(destination.name, context.key);
    auto keys = tag_condition_keys("s3:RequestObjectTag", copy.tags);
    TRY(authorize(
        context, destination,
        {.action = "s3:PutObject", .resource = resource, .keys = creation_condition_keys(true, keys)}));
    if (copy.tags.empty()) return {};
    bool copied = context.request.headers.value("x-amz-tagging-directive") != "REPLACE";
    if (copied)
        TRY(authorize(context, *source.bucket,
                      {.action = "s3:GetObjectTagging",
                       .resource = object_arn(source.bucket->name, source.version.key)}));
    return authorize(context, destination,
                     {.action = "s3:PutObjectTagging", .resource = resource, .keys = keys});
}

AwsResult<ChecksumKind> copy_checksum_kind(const http::Headers& headers, const Version& source) {
    auto algorithm = headers.get("x-amz-checksum-algorithm");
    if (!algorithm) return source.checksum.kind;
    auto kind = parse_checksum_kind(*algorithm);
    if (!kind)
        return invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of "
            "the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    return *kind;
}

AwsResult<PendingBlob> copy_blob(S3& s3, const Version& source, Range range, ChecksumKind kind) {
    BlobWriter writer(*s3.storage, kind);
    auto copied = copy_range_to(*s3.storage, source, range, writer);
    if (!copied && copied.error().fault == Fault::not_found) return no_such_key(source.key);
    if (!copied) return to_aws_error(copied.error());
    return TRY(to_aws_result(writer.finish()));
}

AwsResult<http::Response> copy_response(XmlWriter xml, const std::string& etag, const Checksum& checksum,
                                        Time modified, http::Headers headers) {
    xml.value("LastModified", format_iso_time(modified));
    xml.value("ETag", quote_etag(etag));
    write_checksum(xml, checksum, 0);
    if (checksum.kind != ChecksumKind::none) xml.value("ChecksumType", "FULL_OBJECT");
    return xml_response(std::move(xml), std::move(headers));
}

AwsError copy_source_too_large() {
    return invalid_request(
        "The specified copy source is larger than the maximum allowable size for a copy "
        "source: " +
        std::to_string(put_bytes_max));
}

}  // namespace

AwsResult<http::Response> copy_key(S3& s3, OperationContext& context) {
    auto bucket = TRY(request_bucket(s3, context));
    TRY(check_key(context.key));
    auto source = TRY(find_copy_source(s3, context));
    auto copy = TRY(make_copy(context, source));
    TRY(authorize_copy(context, *bucket, source, copy));
    TRY(reject_unsupported_headers(context.request.headers));
    if (source.version.size > put_bytes_max) return copy_source_too_large();
    auto overwrite = TRY(parse_overwrite(context.request.headers));
    auto kind = TRY(copy_checksum_kind(context.request.headers, source.version));
    auto blob = TRY(copy_blob(s3, source.version, {0, source.version.size}, kind));
    set_content(copy, blob);
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        TRY(to_aws_result(blob.attach_to(writes)));
        return {};
    };
    auto written = TRY(write_version(s3,
                                     {.bucket = bucket,
                                      .version = std::move(copy),
                                      .overwrite = std::move(overwrite),
                                      .event = "ObjectCreated:Copy"},
                                     rows));
    http::Headers headers;
    add_version_headers(headers, written);
    if (!source.version.version.empty()) headers.set("x-amz-copy-source-version-id", source.version.version);
    add_encryption_headers(headers, written.headers);
    return copy_response(XmlWriter("CopyObjectResult"), written.etag, written.checksum, written.modified,
                         std::move(headers));
}

AwsResult<http::Response> upload_part_copy(S3& s3, OperationContext& context) {
    auto bucket = TRY(request_bucket(s3, context));
    TRY(check_key(context.key));
    TRY(authorize(context, *bucket,
                  {.action = "s3:PutObject",
                   .resource = object_arn(bucket->name, context.key),
                   .keys = creation_condition_keys(false)}));
    auto source = TRY(find_copy_source(s3, context));
    auto number = TRY(parse_part_number(context));
    auto upload = TRY(requested_upload(s3, context, *bucket));
    Range range{0, source.version.size};
    if (auto text = context.request.headers.get("x-amz-copy-source-range"))
        range = TRY(parse_copy_range(*text, source.version.size));
    if (range.length > put_bytes_max) return copy_source_too_large();
    auto blob = TRY(copy_blob(s3, source.version, range, upload.checksum.kind));
    auto part = make_part(number, blob, s3.storage->clock.now());
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        if (!TRY(to_aws_result(find_upload(writes.transaction, bucket->id, upload.key, upload.id))))
            return no_such_upload(upload.id);
        TRY(to_aws_result(blob.attach_to(writes)));
        TRY(to_aws_result(put_part(writes, upload, part)));
        return {};
    };
    TRY(run_write_transaction(s3, rows));
    http::Headers headers;
    if (!source.version.version.empty()) headers.set("x-amz-copy-source-version-id", source.version.version);
    add_encryption_headers(headers, upload.headers);
    XmlWriter xml("CopyPartResult");
    xml.value("LastModified", format_iso_time(part.modified));
    xml.value("ETag", quote_etag(part.etag));
    write_checksum(xml, part.checksum, 0);
    return xml_response(std::move(xml), std::move(headers));
}

}  // namespace integreat::s3
