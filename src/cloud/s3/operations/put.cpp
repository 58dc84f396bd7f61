// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"
#include "crypto/encoding.h"

namespace integreat::s3 {

namespace {

AwsError missing_length() {
    return {.status = 411,
            .code = "MissingContentLength",
            .message = "You must provide the Content-Length HTTP header."};
}

// Returns the number of body bytes without aws-chunked coding.
AwsResult<std::uint64_t> parse_body_bytes(const http::Headers& headers) {
    auto text = headers.get("x-amz-decoded-content-length");
    if (!text) text = headers.get("content-length");
    if (!text) return missing_length();
    std::uint64_t bytes = 0;
    auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), bytes);
    if (failure != std::errc() || end != text->data() + text->size())
        return invalid_argument("Content-Length is not a number", "Content-Length", *text);
    if (bytes > put_bytes_max) return entity_too_large(bytes, put_bytes_max);
    return bytes;
}

// Receives the body of a version or a part into a blob.
struct BlobReceiver {
    S3& s3;
    BlobWriter writer;
    DeclaredChecksums declared;
    std::uint64_t expected_bytes = 0;

    std::optional<AwsError> append(std::string_view bytes) {
        if (writer.size() + bytes.size() > expected_bytes) return incomplete();
        auto appended = writer.append(bytes);
        if (!appended) return to_aws_error(appended.error());
        return std::nullopt;
    }
    AwsResult<PendingBlob> finish(const cloud::Parameters& trailers) {
        if (writer.size() != expected_bytes) return incomplete();
        auto blob = TRY(to_aws_result(writer.finish()));
        TRY(verify_checksums(declared, blob, trailers));
        return blob;
    }
    static AwsError incomplete() {
        return {.status = 400,
                .code = "IncompleteBody",
                .message =
                    "You did not provide the number of bytes specified by the Content-Length HTTP "
                    "header"};
    }
};

AwsResult<std::shared_ptr<BlobReceiver>> make_blob_receiver(S3& s3, const http::Headers& headers) {
    auto declared = TRY(parse_declared_checksums(headers));
    auto bytes = TRY(parse_body_bytes(headers));
    return std::make_shared<BlobReceiver>(BlobReceiver{.s3 = s3,
                                                       .writer = BlobWriter(*s3.storage, declared.kind),
                                                       .declared = declared,
                                                       .expected_bytes = bytes});
}

cloud::OperationResult to_operation_result(AwsResult<http::Response> result) {
    if (result) return *std::move(result);
    return std::move(result).error();
}

// Makes a body reader that passes the received blob to `finish` for the response.
cloud::StreamedOperation make_body_reader(std::shared_ptr<BlobReceiver> receiver,
                                          std::function<AwsResult<http::Response>(PendingBlob blob)> finish) {
    return cloud::BodyReader{
        .on_chunk = [receiver](std::string_view bytes) { return receiver->append(bytes); },
        .on_end = [receiver,
                   finish = std::move(finish)](const cloud::Parameters& trailers) -> cloud::OperationResult {
            auto blob = receiver->finish(trailers);
            if (!blob) return std::move(blob).error();
            return to_operation_result(finish(*std::move(blob)));
        }};
}

struct PutRequest {
    PendingVersion pending;
    std::shared_ptr<BlobReceiver> receiver;
};

AwsResult<PutRequest> prepare_put(S3& s3, OperationContext& context) {
    const auto& headers = context.request.headers;
    auto bucket = TRY(request_bucket(s3, context));
    TRY(check_key(context.key));
    auto tags = TRY(parse_tagging_header(headers));
    auto resource = object_arn(bucket->name, context.key);
    TRY(authorize(context, *bucket,
                  {.action = "s3:PutObject",
                   .resource = resource,
                   .keys = creation_condition_keys(true, tag_condition_keys("s3:RequestObjectTag", tags))}));
    if (!tags.empty())
        TRY(authorize(context, *bucket,
                      {.action = "s3:PutObjectTagging",
                       .resource = resource,
                       .keys = tag_condition_keys("s3:RequestObjectTag", tags)}));
    TRY(reject_unsupported_headers(headers));
    PendingVersion pending{.bucket = bucket, .version = {}, .event = "ObjectCreated:Put"};
    pending.version.key = context.key;
    pending.version.tags = std::move(tags);
    pending.version.headers = TRY(parse_stored_headers(headers));
    pending.version.storage_class = TRY(parse_storage_class(headers));
    pending.overwrite = TRY(parse_overwrite(headers));
    if (pending.overwrite.if_match || pending.overwrite.if_none_match) {
        auto transaction = TRY(to_aws_result(s3.storage->index->read()));
        auto present = TRY(to_aws_result(find_object(transaction, bucket->id, context.key)));
        TRY(check_overwrite(pending.overwrite, present, context.key));
    }
    auto receiver = TRY(make_blob_receiver(s3, headers));
    return PutRequest{.pending = std::move(pending), .receiver = std::move(receiver)};
}

AwsResult<http::Response> finish_put(S3& s3, const PendingVersion& prepared, PendingBlob blob) {
    auto pending = prepared;
    set_content(pending.version, blob);
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        TRY(to_aws_result(blob.attach_to(writes)));
        return {};
    };
    auto version = TRY(write_version(s3, std::move(pending), rows));
    http::Headers headers;
    headers.add("ETag", quote_etag(version.etag));
    add_version_headers(headers, version);
    add_checksum_headers(headers, version);
    add_encryption_headers(headers, version.headers);
    return empty_response(200, std::move(headers));
}

struct PartRequest {
    BucketPointer bucket;
    Upload upload;
    int number = 0;
    std::shared_ptr<BlobReceiver> receiver;
};

AwsResult<PartRequest> prepare_part(S3& s3, OperationContext& context) {
    auto bucket = TRY(request_bucket(s3, context));
    TRY(check_key(context.key));
    TRY(authorize(context, *bucket,
                  {.action = "s3:PutObject",
                   .resource = object_arn(bucket->name, context.key),
                   .keys = creation_condition_keys(false)}));
    TRY(reject_unsupported_headers(context.request.headers));
    auto number = TRY(parse_part_number(context));
    auto upload = TRY(requested_upload(s3, context, *bucket));
    auto receiver = TRY(make_blob_receiver(s3, context.request.headers));
    auto expected = upload.checksum.kind, actual = receiver->declared.kind;
    if (expected != ChecksumKind::none && expected != actual) {
        auto name = [](ChecksumKind kind) {
            return kind == ChecksumKind::none ? "null" : checksum_header(kind).substr(15);
        };
        return invalid_request("Checksum Type mismatch occurred, expected checksum Type: " + name(expected) +
                               ", actual checksum Type: " + name(actual));
    }
    return PartRequest{.bucket = std::move(bucket),
                       .upload = std::move(upload),
                       .number = number,
                       .receiver = std::move(receiver)};
}

}  // namespace

void set_content(Version& version, const PendingBlob& blob) {
    version.size = blob.size();
    version.etag = crypto::hex_encode(blob.md5());
    version.content = blob.number();
    version.checksum = blob.checksum();
}

Part make_part(int number, const PendingBlob& blob, Time now) {
    return {.number = number,
            .blob = blob.number(),
            .size = blob.size(),
            .modified = now,
            .etag = crypto::hex_encode(blob.md5()),
            .checksum = blob.checksum()};
}

AwsResult<Version> write_version(S3& s3, PendingVersion pending,
                                 const std::function<AwsResult<>(WriteBatch&)>& contents) {
    auto& version = pending.version;
    version.modified = s3.storage->clock.now();
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        if (pending.overwrite.if_match || pending.overwrite.if_none_match) {
            auto present =
                TRY(to_aws_result(find_object(writes.transaction, pending.bucket->id, version.key)));
            TRY(check_overwrite(pending.overwrite, present, version.key));
        }
        TRY(contents(writes));
        TRY(to_aws_result(put_object(writes, *s3.storage, pending.bucket->id, version)));
        return {};
    };
    TRY(run_write_transaction(s3, rows));
    publish_event(s3, pending.event, *pending.bucket, version);
    return std::move(version);
}

AwsResult<OverwriteCondition> parse_overwrite(const http::Headers& headers) {
    OverwriteCondition overwrite;
    if (auto none = headers.get("if-none-match")) {
        if (*none != "*") return not_implemented("If-None-Match with anything but * on a write");
        overwrite.if_none_match = true;
    }
    if (auto match = headers.get("if-match")) overwrite.if_match = *match;
    return overwrite;
}

AwsResult<> check_overwrite(const OverwriteCondition& overwrite, const std::optional<Version>& present,
                            std::string_view key) {
    bool exists = present && !present->marker;
    if (overwrite.if_none_match && exists) return precondition_failed("If-None-Match");
    if (overwrite.if_match && !exists) return no_such_key(key);
    if (overwrite.if_match && !matches_etag(*overwrite.if_match, present->etag))
        return precondition_failed("If-Match");
    return {};
}

cloud::StreamedOperation put_key(S3& s3, OperationContext& context) {
    auto put = prepare_put(s3, context);
    if (!put) return std::move(put).error();
    return make_body_reader(put->receiver, [&s3, pending = put->pending](PendingBlob blob) {
        return finish_put(s3, pending, std::move(blob));
    });
}

cloud::StreamedOperation upload_part(S3& s3, OperationContext& context) {
    auto prepared = prepare_part(s3, context);
    if (!prepared) return std::move(prepared).error();
    return make_body_reader(
        prepared->receiver, [&s3, put = *prepared](PendingBlob blob) -> AwsResult<http::Response> {
            auto part = make_part(put.number, blob, s3.storage->clock.now());
            auto rows = [&](WriteBatch& writes) -> AwsResult<> {
                // The upload may have been completed or aborted in the meantime.
                if (!TRY(to_aws_result(
                        find_upload(writes.transaction, put.bucket->id, put.upload.key, put.upload.id))))
                    return no_such_upload(put.upload.id);
                TRY(to_aws_result(blob.attach_to(writes)));
                TRY(to_aws_result(put_part(writes, put.upload, part)));
                return {};
            };
            TRY(run_write_transaction(s3, rows));
            http::Headers headers;
            headers.add("ETag", quote_etag(part.etag));
            if (part.checksum.kind != ChecksumKind::none)
                headers.add(checksum_header(part.checksum.kind), part.checksum.text);
            add_encryption_headers(headers, put.upload.headers);
            return empty_response(200, std::move(headers));
        });
}

}  // namespace integreat::s3
