// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

constexpr int attempts_max = 4;  // An object may be overwritten between its row and its file.

// Several blobs in a row, read as the client takes them.
class PieceSource final : public http::BodySource {
public:
    explicit PieceSource(PieceReader reader) : reader_(std::move(reader)) {}

    http::Pace produce(std::string& to, const http::Demand& demand) override {
        if (!reader_.read(to, demand.bytes)) return http::Pace::broken;
        return reader_.left() > 0 ? http::Pace::more : http::Pace::end;
    }

private:
    PieceReader reader_;
};

// Stands where only a length is told: the answer to HEAD.
class NoSource final : public http::BodySource {
public:
    http::Pace produce(std::string&, const http::Demand&) override { return http::Pace::broken; }
};

std::string_view version_action(std::string_view action) {
    if (action == "s3:GetObject") return "s3:GetObjectVersion";
    if (action == "s3:GetObjectTagging") return "s3:GetObjectVersionTagging";
    if (action == "s3:PutObjectTagging") return "s3:PutObjectVersionTagging";
    if (action == "s3:DeleteObjectTagging") return "s3:DeleteObjectVersionTagging";
    if (action == "s3:GetObjectAttributes") return "s3:GetObjectVersionAttributes";
    ASSERT(action == "s3:GetObjectAcl");
    return "s3:GetObjectVersionAcl";
}

struct Overriding {
    std::string_view parameter;
    std::string_view header;
};
constexpr std::array<Overriding, 6> overridings{{{"response-content-type", "content-type"},
                                                 {"response-cache-control", "cache-control"},
                                                 {"response-content-disposition", "content-disposition"},
                                                 {"response-content-encoding", "content-encoding"},
                                                 {"response-content-language", "content-language"},
                                                 {"response-expires", "expires"}}};

Tried<> override_headers(const Exchange& exchange, http::Headers& headers) {
    for (const auto& one : overridings) {
        auto value = exchange.parameter(one.parameter);
        if (!value) continue;
        if (exchange.caller.who.kind == policy::CallerKind::anonymous) {
            return invalid_request(
                "Request specific response headers cannot be used for anonymous GET requests.");
        }
        bool printable = std::all_of(value->begin(), value->end(), [](char c) {
            return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
        });
        if (!printable) return invalid_argument("Header value has control characters", one.parameter, "");
        headers.set(one.header, *value);
    }
    return {};
}

Tried<http::Headers> headers_of(Exchange& exchange, const Found& found) {
    const auto& version = found.version;
    http::Headers headers;
    headers.add("Last-Modified", format_http_date(version.modified));
    headers.add("ETag", quoted(version.etag));
    headers.add("Accept-Ranges", "bytes");
    for (const auto& [name, value] : version.headers)
        headers.add(name, value);
    if (!headers.contains("content-type")) headers.add("Content-Type", "binary/octet-stream");
    add_version(headers, version);
    if (version.storage_class != "STANDARD") headers.add("x-amz-storage-class", version.storage_class);
    if (!version.tags.empty() &&
        permitted(exchange, *found.bucket,
                  {.action = "s3:GetObjectTagging", .resource = object_arn(found.bucket->name, version.key)}))
        headers.add("x-amz-tagging-count", std::to_string(version.tags.size()));
    TRY(override_headers(exchange, headers));
    // Without it browsers answer a GET after an overwrite, and ranges, from what they have.
    if (exchange.request.method == http::Method::get && !headers.contains("cache-control"))
        headers.add("Cache-Control", "no-cache");
    return headers;
}

struct Shown {
    Range range;
    int status = 200;
};

// The whole, a range, or a part of an upload in parts.
Tried<Shown> shown_of(S3& s3, const Exchange& exchange, const Version& version, http::Headers& headers) {
    auto part_number = TRY(number_of(exchange, "partNumber", 0, part_number_max + 1));
    auto range = TRY(range_of(exchange.request.headers, version));
    if (exchange.parameter("partNumber")) {
        if (range) return invalid_request("Cannot specify both Range header and partNumber query parameter");
        int count = std::max(version.part_count, 1);
        if (part_number < 1 || part_number > count) {
            return AwsError{.status = 416,
                            .code = "InvalidPartNumber",
                            .message = "The requested partnumber is not satisfiable",
                            .details = {{"PartNumberRequested", std::to_string(part_number)},
                                        {"ActualPartCount", std::to_string(count)}}};
        }
        range = Range{0, version.size};
        if (version.part_count > 0) {
            auto transaction = TRY(s3.storage->index->read());
            auto pieces = TRY(pieces_of(transaction, version.content));
            auto wanted = static_cast<std::size_t>(part_number) - 1;
            if (wanted >= pieces.size()) return no_such_key(version.key);
            range->length = pieces[wanted].size;
            for (std::size_t i = 0; i < wanted; ++i)
                range->offset += pieces[i].size;
            headers.add("x-amz-mp-parts-count", std::to_string(count));
        }
    }
    if (!range) {
        if (exchange.request.headers.value("x-amz-checksum-mode") == "ENABLED")
            add_checksum(headers, version);
        return Shown{.range = {0, version.size}};
    }
    if (range->length > 0 || version.size > 0) {
        headers.add("Content-Range", "bytes " + std::to_string(range->offset) + "-" +
                                         std::to_string(range->offset + range->length - 1) + "/" +
                                         std::to_string(version.size));
    }
    return Shown{.range = *range, .status = 206};
}

Done not_modified(const http::Headers& headers) {
    http::Headers kept;
    for (const char* name : {"Last-Modified", "ETag", "Cache-Control", "Expires", "x-amz-version-id"}) {
        if (auto value = headers.get(name)) kept.add(name, *value);
    }
    return answer_empty(304, std::move(kept));
}

// Nothing: the content is gone since its row was read.
Tried<std::optional<http::Response>> send(S3& s3, const Version& version, const Shown& shown,
                                          http::Headers headers) {
    auto content = open_content(*s3.storage, version, shown.range);
    if (!content) {
        if (content.error().fault == Fault::not_found) return std::optional<http::Response>();
        return std::move(content).error();
    }
    if (auto* bytes = std::get_if<std::string>(&*content)) {
        return std::optional<http::Response>(
            http::Reply{.status = shown.status, .headers = std::move(headers), .body = std::move(*bytes)});
    }
    http::Stream stream{.status = shown.status, .headers = std::move(headers), .length = {}, .body = {}};
    if (auto* file = std::get_if<FilePart>(&*content)) {
        stream.body = http::FileRegion{.file = std::make_shared<http::OpenFile>(file->file.release()),
                                       .offset = file->range.offset,
                                       .length = file->range.length};
    } else {
        auto& reader = std::get<PieceReader>(*content);
        stream.length = reader.left();
        stream.waits = true;
        stream.body = std::make_unique<PieceSource>(std::move(reader));
    }
    return std::optional<http::Response>(std::move(stream));
}

}  // namespace

Tried<Version> find_permitted(S3& s3, Exchange& exchange, const Source& source, std::string_view action) {
    TRY(check_key(source.key));
    std::optional<Version> found;
    {
        auto transaction = TRY(s3.storage->index->read());
        found = TRY(find_object(transaction, source.bucket->id, source.key, source.version));
    }
    Permission permission{.action = source.version ? version_action(action) : action,
                          .resource = object_arn(source.bucket->name, source.key)};
    if (found) permission.keys = keys_of_tags("s3:ExistingObjectTag", found->tags);
    TRY(permit(exchange, *source.bucket, std::move(permission)));
    if (found && !found->marker) return *std::move(found);
    if (found && source.version) {
        auto refused = method_not_allowed(http::to_string(exchange.request.method), "DeleteMarker");
        refused.headers = {{"x-amz-delete-marker", "true"},
                           {"x-amz-version-id", version_name(*found)},
                           {"Last-Modified", format_http_date(found->modified)}};
        return refused;
    }
    if (!permitted(exchange, *source.bucket,
                   {.action = "s3:ListBucket", .resource = bucket_arn(source.bucket->name)}))
        return access_denied("the key does not exist, and the caller may not list the bucket");
    if (source.version) return no_such_version(source.key, *source.version);
    auto missing = no_such_key(source.key);
    if (found) {
        missing.headers = {{"x-amz-delete-marker", "true"}, {"x-amz-version-id", version_name(*found)}};
    }
    return missing;
}

Tried<Found> find_permitted(S3& s3, Exchange& exchange, std::string_view action) {
    auto bucket = TRY(bucket_of(s3, exchange));
    auto name = TRY(version_of(exchange));
    auto version =
        TRY(find_permitted(s3, exchange, {.bucket = bucket, .key = exchange.key, .version = name}, action));
    return Found{.bucket = std::move(bucket), .version = std::move(version)};
}

Done get_key(S3& s3, Exchange& exchange) {
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        auto found = TRY(find_permitted(s3, exchange, "s3:GetObject"));
        auto freshness = TRY(check_conditions(exchange.request.headers, found.version));
        auto headers = TRY(headers_of(exchange, found));
        if (freshness == Freshness::not_modified) return not_modified(headers);
        auto shown = TRY(shown_of(s3, exchange, found.version, headers));
        if (auto sent = TRY(send(s3, found.version, shown, std::move(headers)))) return *std::move(sent);
    }
    return AwsError{.status = 503, .code = "SlowDown", .message = "Please reduce your request rate."};
}

Done head_key(S3& s3, Exchange& exchange) {
    auto found = TRY(find_permitted(s3, exchange, "s3:GetObject"));
    auto freshness = TRY(check_conditions(exchange.request.headers, found.version));
    auto headers = TRY(headers_of(exchange, found));
    if (freshness == Freshness::not_modified) return not_modified(headers);
    auto shown = TRY(shown_of(s3, exchange, found.version, headers));
    return http::Response(http::Stream{.status = shown.status,
                                       .headers = std::move(headers),
                                       .length = shown.range.length,
                                       .body = std::make_unique<NoSource>()});
}

Done get_key_acl(S3& s3, Exchange& exchange) {
    TRY(find_permitted(s3, exchange, "s3:GetObjectAcl"));
    return answer_owner_acl(s3);
}

void write_checksum(XmlText& xml, const Checksum& checksum, int part_count) {
    if (checksum.kind == ChecksumKind::none || checksum.text.empty()) return;
    xml.value("Checksum" + std::string(name_of(checksum.kind)), checksum_text(checksum, part_count));
}

Done get_attributes(S3& s3, Exchange& exchange) {
    auto found = TRY(find_permitted(s3, exchange, "s3:GetObjectAttributes"));
    TRY(permit(exchange, *found.bucket,
               {.action = exchange.parameter("versionId") ? "s3:GetObjectVersion" : "s3:GetObject",
                .resource = object_arn(found.bucket->name, found.version.key)}));
    const auto& version = found.version;
    auto wanted = "," + std::string(exchange.request.headers.value("x-amz-object-attributes")) + ",";
    std::erase(wanted, ' ');
    auto wants = [&](std::string_view name) {
        return wanted.find("," + std::string(name) + ",") != std::string::npos;
    };
    if (wanted == ",,") {
        return invalid_argument(
            "The x-amz-object-attributes header specifying the attributes to be retrieved "
            "is either missing or empty",
            "x-amz-object-attributes", "");
    }
    XmlText xml("GetObjectAttributesResponse");
    if (wants("ETag")) xml.value("ETag", version.etag);
    if (wants("Checksum") && !version.checksum.text.empty()) {
        xml.open("Checksum");
        write_checksum(xml, version.checksum, version.part_count);
        xml.value("ChecksumType", version.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
        xml.close();
    }
    if (wants("ObjectParts") && version.part_count > 0) {
        xml.open("ObjectParts");
        xml.value("PartsCount", static_cast<std::uint64_t>(version.part_count));
        xml.close();
    }
    if (wants("StorageClass")) xml.value("StorageClass", version.storage_class);
    if (wants("ObjectSize")) xml.value("ObjectSize", version.size);
    http::Headers headers;
    headers.set("Last-Modified", format_http_date(version.modified));
    add_version(headers, version);
    return answer_xml(std::move(xml), std::move(headers));
}

}  // namespace integreat::s3
