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

// How many bytes the body has once the transfer's coding is removed.
Tried<std::uint64_t> announced_bytes(const http::Headers& headers) {
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

// A body that is being received for a version or a part.
struct Receiving {
    S3& s3;
    BodyWriter writer;
    Claims claims;
    std::uint64_t bytes_announced = 0;

    std::optional<AwsError> take(std::string_view bytes) {
        if (writer.size() + bytes.size() > bytes_announced) return incomplete();
        auto taken = writer.append(bytes);
        if (!taken) return from_error(taken.error());
        return std::nullopt;
    }
    Tried<Body> finish(const cloud::Parameters& trailers) {
        if (writer.size() != bytes_announced) return incomplete();
        auto body = TRY(writer.finish());
        TRY(check_claims(claims, body, trailers));
        return body;
    }
    static AwsError incomplete() {
        return {.status = 400,
                .code = "IncompleteBody",
                .message =
                    "You did not provide the number of bytes specified by the Content-Length HTTP "
                    "header"};
    }
};

Tried<std::shared_ptr<Receiving>> begin_receiving(S3& s3, const http::Headers& headers) {
    auto claims = TRY(claims_of(headers));
    auto bytes = TRY(announced_bytes(headers));
    return std::make_shared<Receiving>(Receiving{.s3 = s3,
                                                 .writer = BodyWriter(*s3.storage, claims.kind),
                                                 .claims = claims,
                                                 .bytes_announced = bytes});
}

cloud::Answer as_answer(Done done) {
    if (done) return *std::move(done);
    return std::move(done).error();
}

// What `finish` makes of the body is the answer.
cloud::Reception reader_of(std::shared_ptr<Receiving> receiving, std::function<Done(Body body)> finish) {
    return cloud::BodyReader{
        .piece = [receiving](std::string_view bytes) { return receiving->take(bytes); },
        .end = [receiving, finish = std::move(finish)](const cloud::Parameters& trailers) -> cloud::Answer {
            auto body = receiving->finish(trailers);
            if (!body) return std::move(body).error();
            return as_answer(finish(*std::move(body)));
        }};
}

struct Put {
    Writing writing;
    std::shared_ptr<Receiving> receiving;
};

Tried<Put> begin_put(S3& s3, Exchange& exchange) {
    const auto& headers = exchange.request.headers;
    auto bucket = TRY(bucket_of(s3, exchange));
    TRY(check_key(exchange.key));
    auto tags = TRY(tags_of_header(headers));
    auto resource = object_arn(bucket->name, exchange.key);
    TRY(permit(
        exchange, *bucket,
        {.action = "s3:PutObject", .resource = resource, .keys = keys_of_tags("s3:RequestObjectTag", tags)}));
    if (!tags.empty())
        TRY(permit(exchange, *bucket,
                   {.action = "s3:PutObjectTagging",
                    .resource = resource,
                    .keys = keys_of_tags("s3:RequestObjectTag", tags)}));
    TRY(refuse_what_is_not_there(headers));
    Writing writing{.bucket = bucket, .version = {}, .event = "ObjectCreated:Put"};
    writing.version.key = exchange.key;
    writing.version.tags = std::move(tags);
    writing.version.headers = TRY(kept_headers(headers));
    writing.version.storage_class = TRY(storage_class_of(headers));
    writing.overwrite = TRY(overwrite_of(headers));
    if (writing.overwrite.if_match || writing.overwrite.if_none_match) {
        auto transaction = TRY(s3.storage->index->read());
        auto present = TRY(find_object(transaction, bucket->id, exchange.key));
        TRY(check_overwrite(writing.overwrite, present, exchange.key));
    }
    auto receiving = TRY(begin_receiving(s3, headers));
    return Put{.writing = std::move(writing), .receiving = std::move(receiving)};
}

Done finish_put(S3& s3, const Writing& begun, Body body) {
    auto writing = begun;
    describe(writing.version, body);
    auto rows = [&](Change& inside) -> Tried<> {
        TRY(body.adopt(inside));
        return {};
    };
    auto version = TRY(write_version(s3, std::move(writing), rows));
    http::Headers headers;
    headers.add("ETag", quoted(version.etag));
    add_version(headers, version);
    add_checksum(headers, version);
    add_encryption(headers, version.headers);
    return answer_empty(200, std::move(headers));
}

struct PartPut {
    BucketPointer bucket;
    Upload upload;
    int number = 0;
    std::shared_ptr<Receiving> receiving;
};

Tried<PartPut> begin_part(S3& s3, Exchange& exchange) {
    auto bucket = TRY(bucket_of(s3, exchange));
    TRY(check_key(exchange.key));
    TRY(permit(exchange, *bucket,
               {.action = "s3:PutObject", .resource = object_arn(bucket->name, exchange.key)}));
    TRY(refuse_what_is_not_there(exchange.request.headers));
    auto number = TRY(part_number_of(exchange));
    auto upload = TRY(upload_of(s3, exchange, *bucket));
    auto receiving = TRY(begin_receiving(s3, exchange.request.headers));
    auto wanted = upload.checksum.kind, sent = receiving->claims.kind;
    if (wanted != ChecksumKind::none && wanted != sent) {
        auto name = [](ChecksumKind kind) {
            return kind == ChecksumKind::none ? "null" : checksum_header(kind).substr(15);
        };
        return invalid_request("Checksum Type mismatch occurred, expected checksum Type: " + name(wanted) +
                               ", actual checksum Type: " + name(sent));
    }
    return PartPut{.bucket = std::move(bucket),
                   .upload = std::move(upload),
                   .number = number,
                   .receiving = std::move(receiving)};
}

}  // namespace

void describe(Version& version, const Body& body) {
    version.size = body.size();
    version.etag = crypto::hex_encode(body.md5());
    version.content = body.number();
    version.checksum = body.checksum();
}

Part part_of(int number, const Body& body, Time now) {
    return {.number = number,
            .blob = body.number(),
            .size = body.size(),
            .modified = now,
            .etag = crypto::hex_encode(body.md5()),
            .checksum = body.checksum()};
}

Tried<Version> write_version(S3& s3, Writing writing, const std::function<Tried<>(Change&)>& contents) {
    auto& version = writing.version;
    version.modified = s3.storage->clock.now();
    auto rows = [&](Change& inside) -> Tried<> {
        if (writing.overwrite.if_match || writing.overwrite.if_none_match) {
            auto present = TRY(find_object(inside.transaction, writing.bucket->id, version.key));
            TRY(check_overwrite(writing.overwrite, present, version.key));
        }
        TRY(contents(inside));
        TRY(put_object(inside, *s3.storage, writing.bucket->id, version));
        return {};
    };
    TRY(change(s3, rows));
    tell(s3, writing.event, *writing.bucket, version);
    return std::move(version);
}

Tried<Overwrite> overwrite_of(const http::Headers& headers) {
    Overwrite overwrite;
    if (auto none = headers.get("if-none-match")) {
        if (*none != "*") return not_implemented("If-None-Match with anything but * on a write");
        overwrite.if_none_match = true;
    }
    if (auto match = headers.get("if-match")) overwrite.if_match = *match;
    return overwrite;
}

Tried<> check_overwrite(const Overwrite& overwrite, const std::optional<Version>& present,
                        std::string_view key) {
    bool there = present && !present->marker;
    if (overwrite.if_none_match && there) return precondition_failed("If-None-Match");
    if (overwrite.if_match && !there) return no_such_key(key);
    if (overwrite.if_match && !matches_etag(*overwrite.if_match, present->etag))
        return precondition_failed("If-Match");
    return {};
}

cloud::Reception put_key(S3& s3, Exchange& exchange) {
    auto put = begin_put(s3, exchange);
    if (!put) return std::move(put).error();
    return reader_of(put->receiving, [&s3, writing = put->writing](Body body) {
        return finish_put(s3, writing, std::move(body));
    });
}

cloud::Reception upload_part(S3& s3, Exchange& exchange) {
    auto begun = begin_part(s3, exchange);
    if (!begun) return std::move(begun).error();
    return reader_of(begun->receiving, [&s3, put = *begun](Body body) -> Done {
        auto part = part_of(put.number, body, s3.storage->clock.now());
        auto rows = [&](Change& inside) -> Tried<> {
            // It may have been completed or aborted meanwhile.
            if (!TRY(find_upload(inside.transaction, put.bucket->id, put.upload.key, put.upload.id)))
                return no_such_upload(put.upload.id);
            TRY(body.adopt(inside));
            TRY(put_part(inside, put.upload, part));
            return {};
        };
        TRY(change(s3, rows));
        http::Headers headers;
        headers.add("ETag", quoted(part.etag));
        if (part.checksum.kind != ChecksumKind::none)
            headers.add(checksum_header(part.checksum.kind), part.checksum.text);
        add_encryption(headers, put.upload.headers);
        return answer_empty(200, std::move(headers));
    });
}

}  // namespace integreat::s3
