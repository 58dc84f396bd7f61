// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

constexpr int attempts_max =
    4;  // An object may be overwritten after its row was read and before its file is opened.

// Streams an object of several blobs.
class MultipartBody final : public http::BodyStream {
public:
    explicit MultipartBody(MultipartReader reader) : reader_(std::move(reader)) {}

    http::ReadStatus read(std::string& to, const http::ReadRequest& request) override {
        if (!reader_.read(to, request.bytes)) return http::ReadStatus::error;
        return reader_.remaining() > 0 ? http::ReadStatus::ready : http::ReadStatus::eof;
    }

private:
    MultipartReader reader_;
};

// The body of a HEAD response, which has only a length.
class HeadBody final : public http::BodyStream {
public:
    http::ReadStatus read(std::string&, const http::ReadRequest&) override { return http::ReadStatus::error; }
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

struct HeaderOverride {
    std::string_view parameter;
    std::string_view header;
};
constexpr std::array<HeaderOverride, 6> header_overrides{
    {{"response-content-type", "content-type"},
     {"response-cache-control", "cache-control"},
     {"response-content-disposition", "content-disposition"},
     {"response-content-encoding", "content-encoding"},
     {"response-content-language", "content-language"},
     {"response-expires", "expires"}}};

AwsResult<> override_headers(const OperationContext& context, http::Headers& headers) {
    for (const auto& one : header_overrides) {
        auto value = context.parameter(one.parameter);
        if (!value) continue;
        if (context.caller.principal.kind == policy::CallerKind::anonymous) {
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

AwsResult<http::Headers> object_headers(OperationContext& context, const AuthorizedVersion& authorized) {
    const auto& version = authorized.version;
    http::Headers headers;
    headers.add("Last-Modified", format_http_date(version.modified));
    headers.add("ETag", quote_etag(version.etag));
    headers.add("Accept-Ranges", "bytes");
    for (const auto& [name, value] : version.headers)
        headers.add(name, value);
    if (!headers.contains("content-type")) headers.add("Content-Type", "binary/octet-stream");
    add_version_headers(headers, version);
    if (version.storage_class != "STANDARD") headers.add("x-amz-storage-class", version.storage_class);
    if (!version.tags.empty() &&
        is_authorized(
            context, *authorized.bucket,
            {.action = "s3:GetObjectTagging", .resource = object_arn(authorized.bucket->name, version.key)}))
        headers.add("x-amz-tagging-count", std::to_string(version.tags.size()));
    TRY(override_headers(context, headers));
    // Without it, browsers serve a GET after an overwrite, and ranges, from their cache.
    if (context.request.method == http::Method::get && !headers.contains("cache-control"))
        headers.add("Cache-Control", "no-cache");
    return headers;
}

struct SelectedRange {
    Range range;
    int status = 200;
};

// Selects the whole object, a range, or a part of a multipart object.
AwsResult<SelectedRange> select_range(S3& s3, const OperationContext& context, const Version& version,
                                      http::Headers& headers) {
    auto part_number = TRY(parse_int_parameter(context, "partNumber", 0, part_number_max + 1));
    auto range = TRY(resolve_range(context.request.headers, version));
    if (context.parameter("partNumber")) {
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
            auto transaction = TRY(to_aws_result(s3.storage->index->read()));
            auto parts = TRY(to_aws_result(list_part_rows(transaction, version.content)));
            auto index = static_cast<std::size_t>(part_number) - 1;
            if (index >= parts.size()) return no_such_key(version.key);
            range->length = parts[index].size;
            for (std::size_t i = 0; i < index; ++i)
                range->offset += parts[i].size;
            headers.add("x-amz-mp-parts-count", std::to_string(count));
        }
    }
    if (!range) {
        if (context.request.headers.value("x-amz-checksum-mode") == "ENABLED")
            add_checksum_headers(headers, version);
        return SelectedRange{.range = {0, version.size}};
    }
    if (range->length > 0 || version.size > 0) {
        headers.add("Content-Range", "bytes " + std::to_string(range->offset) + "-" +
                                         std::to_string(range->offset + range->length - 1) + "/" +
                                         std::to_string(version.size));
    }
    return SelectedRange{.range = *range, .status = 206};
}

AwsResult<http::Response> not_modified(const http::Headers& headers) {
    http::Headers not_modified_headers;
    for (const char* name : {"Last-Modified", "ETag", "Cache-Control", "Expires", "x-amz-version-id"}) {
        if (auto value = headers.get(name)) not_modified_headers.add(name, *value);
    }
    return empty_response(304, std::move(not_modified_headers));
}

// Opens the content of a response; returns nothing if it was deleted after its row was read.
AwsResult<std::optional<http::Response>> open_response(S3& s3, const Version& version,
                                                       const SelectedRange& selected, http::Headers headers) {
    auto content = open_content(*s3.storage, version, selected.range);
    if (!content) {
        if (content.error().fault == Fault::not_found) return std::optional<http::Response>();
        return to_aws_error(content.error());
    }
    if (auto* bytes = std::get_if<std::string>(&*content)) {
        return std::optional<http::Response>(http::FullResponse{
            .status = selected.status, .headers = std::move(headers), .body = std::move(*bytes)});
    }
    http::StreamingResponse stream{
        .status = selected.status, .headers = std::move(headers), .length = {}, .body = {}};
    if (auto* file = std::get_if<FilePart>(&*content)) {
        stream.body = http::FileRegion{.file = std::make_shared<UniqueFd>(file->file.release()),
                                       .offset = file->range.offset,
                                       .length = file->range.length};
    } else {
        auto& reader = std::get<MultipartReader>(*content);
        stream.length = reader.remaining();
        stream.blocking = true;
        stream.body = std::make_unique<MultipartBody>(std::move(reader));
    }
    return std::optional<http::Response>(std::move(stream));
}

}  // namespace

AwsResult<Version> find_authorized(S3& s3, OperationContext& context, const ObjectReference& object,
                                   std::string_view action) {
    TRY(check_key(object.key));
    std::optional<Version> found;
    {
        auto transaction = TRY(to_aws_result(s3.storage->index->read()));
        found = TRY(to_aws_result(find_object(transaction, object.bucket->id, object.key, object.version)));
    }
    Permission permission{.action = object.version ? version_action(action) : action,
                          .resource = object_arn(object.bucket->name, object.key)};
    if (found) permission.keys = tag_condition_keys("s3:ExistingObjectTag", found->tags);
    TRY(authorize(context, *object.bucket, std::move(permission)));
    if (found && !found->marker) return *std::move(found);
    if (found && object.version) {
        auto error = method_not_allowed(http::to_string(context.request.method), "DeleteMarker");
        error.headers = {{"x-amz-delete-marker", "true"},
                         {"x-amz-version-id", to_version_id(*found)},
                         {"Last-Modified", format_http_date(found->modified)}};
        return error;
    }
    if (!is_authorized(context, *object.bucket,
                       {.action = "s3:ListBucket", .resource = bucket_arn(object.bucket->name)}))
        return access_denied("the key does not exist, and the caller may not list the bucket");
    if (object.version) return no_such_version(object.key, *object.version);
    auto missing = no_such_key(object.key);
    if (found) {
        missing.headers = {{"x-amz-delete-marker", "true"}, {"x-amz-version-id", to_version_id(*found)}};
    }
    return missing;
}

AwsResult<AuthorizedVersion> find_authorized(S3& s3, OperationContext& context, std::string_view action) {
    auto bucket = TRY(request_bucket(s3, context));
    auto name = TRY(parse_version(context));
    auto version =
        TRY(find_authorized(s3, context, {.bucket = bucket, .key = context.key, .version = name}, action));
    return AuthorizedVersion{.bucket = std::move(bucket), .version = std::move(version)};
}

AwsResult<http::Response> get_key(S3& s3, OperationContext& context) {
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        auto found = TRY(find_authorized(s3, context, "s3:GetObject"));
        auto freshness = TRY(check_conditions(context.request.headers, found.version));
        auto headers = TRY(object_headers(context, found));
        if (freshness == Freshness::not_modified) return not_modified(headers);
        auto selected = TRY(select_range(s3, context, found.version, headers));
        if (auto response = TRY(open_response(s3, found.version, selected, std::move(headers))))
            return *std::move(response);
    }
    return AwsError{.status = 503, .code = "SlowDown", .message = "Please reduce your request rate."};
}

AwsResult<http::Response> head_key(S3& s3, OperationContext& context) {
    auto found = TRY(find_authorized(s3, context, "s3:GetObject"));
    auto freshness = TRY(check_conditions(context.request.headers, found.version));
    auto headers = TRY(object_headers(context, found));
    if (freshness == Freshness::not_modified) return not_modified(headers);
    auto selected = TRY(select_range(s3, context, found.version, headers));
    return http::Response(http::StreamingResponse{.status = selected.status,
                                                  .headers = std::move(headers),
                                                  .length = selected.range.length,
                                                  .body = std::make_unique<HeadBody>()});
}

AwsResult<http::Response> get_key_acl(S3& s3, OperationContext& context) {
    TRY(find_authorized(s3, context, "s3:GetObjectAcl"));
    return owner_acl_response(s3);
}

void write_checksum(XmlWriter& xml, const Checksum& checksum, int part_count) {
    if (checksum.kind == ChecksumKind::none || checksum.text.empty()) return;
    xml.value("Checksum" + std::string(to_string(checksum.kind)), format_checksum(checksum, part_count));
}

AwsResult<http::Response> get_attributes(S3& s3, OperationContext& context) {
    auto found = TRY(find_authorized(s3, context, "s3:GetObjectAttributes"));
    TRY(authorize(context, *found.bucket,
                  {.action = context.parameter("versionId") ? "s3:GetObjectVersion" : "s3:GetObject",
                   .resource = object_arn(found.bucket->name, found.version.key)}));
    const auto& version = found.version;
    auto attributes = "," + std::string(context.request.headers.value("x-amz-object-attributes")) + ",";
    std::erase(attributes, ' ');
    auto requests = [&](std::string_view name) {
        return attributes.find("," + std::string(name) + ",") != std::string::npos;
    };
    if (attributes == ",,") {
        return invalid_argument(
            "The x-amz-object-attributes header specifying the attributes to be retrieved "
            "is either missing or empty",
            "x-amz-object-attributes", "");
    }
    XmlWriter xml("GetObjectAttributesResponse");
    if (requests("ETag")) xml.value("ETag", version.etag);
    if (requests("Checksum") && !version.checksum.text.empty()) {
        xml.open("Checksum");
        write_checksum(xml, version.checksum, version.part_count);
        xml.value("ChecksumType", version.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
        xml.close();
    }
    if (requests("ObjectParts") && version.part_count > 0) {
        xml.open("ObjectParts");
        xml.value("PartsCount", static_cast<std::uint64_t>(version.part_count));
        xml.close();
    }
    if (requests("StorageClass")) xml.value("StorageClass", version.storage_class);
    if (requests("ObjectSize")) xml.value("ObjectSize", version.size);
    http::Headers headers;
    headers.set("Last-Modified", format_http_date(version.modified));
    add_version_headers(headers, version);
    return xml_response(std::move(xml), std::move(headers));
}

}  // namespace integreat::s3
