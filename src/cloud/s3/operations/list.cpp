// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"
#include "cloud/s3/store/listing.h"
#include "crypto/encoding.h"

namespace integreat::s3 {

namespace {

// The parameters common to all listings, and the encoding of keys.
struct ListRequest {
    BucketPointer bucket;
    std::string_view prefix;
    std::string_view delimiter;
    int count_max = page_count_max;
    bool url_encoded = false;

    ListingScope scope() const {
        return {.bucket = bucket->id, .prefix = prefix, .delimiter = delimiter, .count_max = count_max};
    }
    std::string encode(std::string_view key) const {
        return url_encoded ? url_encode(key) : std::string(key);
    }
};

AwsResult<ListRequest> parse_list_request(S3& s3, OperationContext& context, std::string_view action,
                                          std::string_view count_name) {
    ListRequest request;
    request.bucket = TRY(request_bucket(s3, context));
    policy::Context keys;
    for (std::string_view name : {std::string_view("prefix"), std::string_view("delimiter"), count_name}) {
        if (auto value = context.parameter(name))
            policy::set(keys, "s3:" + std::string(name), std::string(*value));
    }
    TRY(authorize(context, *request.bucket,
                  {.action = action, .resource = bucket_arn(request.bucket->name), .keys = std::move(keys)}));
    request.prefix = context.parameter("prefix").value_or("");
    request.delimiter = context.parameter("delimiter").value_or("");
    request.count_max = TRY(parse_int_parameter(context, count_name, page_count_max, page_count_max));
    auto encoding = context.parameter("encoding-type").value_or("");
    if (!encoding.empty() && encoding != "url")
        return invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", encoding);
    request.url_encoded = encoding == "url";
    return request;
}

void write_list_request(XmlWriter& xml, const ListRequest& request, std::string_view count_name,
                        bool truncated) {
    xml.value("Prefix", request.encode(request.prefix));
    if (!request.delimiter.empty()) xml.value("Delimiter", request.encode(request.delimiter));
    if (request.url_encoded) xml.value("EncodingType", "url");
    xml.value(count_name, static_cast<std::uint64_t>(request.count_max));
    xml.flag("IsTruncated", truncated);
}

void write_prefixes(XmlWriter& xml, const ListRequest& request, const std::vector<std::string>& prefixes) {
    for (const auto& prefix : prefixes) {
        xml.open("CommonPrefixes");
        xml.value("Prefix", request.encode(prefix));
        xml.close();
    }
}

void write_version_entry(XmlWriter& xml, const Version& version) {
    xml.value("LastModified", format_iso_time(version.modified));
    if (version.marker) return;
    xml.value("ETag", quote_etag(version.etag));
    if (version.checksum.kind != ChecksumKind::none && !version.checksum.text.empty()) {
        xml.value("ChecksumAlgorithm", to_string(version.checksum.kind));
        xml.value("ChecksumType", version.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
    }
    xml.value("Size", version.size);
    xml.value("StorageClass", version.storage_class);
}

void write_contents(XmlWriter& xml, const S3& s3, const ListRequest& request, const Page<Version>& page,
                    bool owner) {
    for (const auto& version : page.entries) {
        xml.open("Contents");
        xml.value("Key", request.encode(version.key));
        write_version_entry(xml, version);
        if (owner) write_owner(xml, "Owner", s3);
        xml.close();
    }
    write_prefixes(xml, request, page.prefixes);
}

AwsResult<Page<Version>> list_page(S3& s3, const ListRequest& request, std::string_view after) {
    auto transaction = TRY(to_aws_result(s3.storage->index->read()));
    return TRY(to_aws_result(list_objects(transaction, request.scope(), after)));
}

// Makes an opaque continuation token from the last key of a page.
std::string make_token(std::string_view last) {
    return "1" + crypto::base64url_encode(last);
}

AwsResult<std::string> parse_token(std::string_view token) {
    auto key = token.starts_with('1') ? crypto::base64url_decode(token.substr(1)) : std::nullopt;
    if (!key) {
        return invalid_argument("The continuation token provided is incorrect", "continuation-token", token);
    }
    return *std::move(key);
}

}  // namespace

AwsResult<http::Response> list_keys(S3& s3, OperationContext& context) {
    auto request = TRY(parse_list_request(s3, context, "s3:ListBucket", "max-keys"));
    auto marker = context.parameter("marker").value_or("");
    auto page = TRY(list_page(s3, request, marker));
    XmlWriter xml("ListBucketResult");
    xml.value("Name", request.bucket->name);
    xml.value("Marker", request.encode(marker));
    if (page.truncated && !request.delimiter.empty()) xml.value("NextMarker", request.encode(page.last));
    write_list_request(xml, request, "MaxKeys", page.truncated);
    write_contents(xml, s3, request, page, true);
    http::Headers headers;
    headers.set("x-amz-bucket-region", request.bucket->region);
    return xml_response(std::move(xml), std::move(headers));
}

AwsResult<http::Response> list_keys_v2(S3& s3, OperationContext& context) {
    auto request = TRY(parse_list_request(s3, context, "s3:ListBucket", "max-keys"));
    auto start = context.parameter("start-after");
    auto token = context.parameter("continuation-token");
    if (token && token->empty())
        return invalid_argument("The continuation token provided is incorrect", "continuation-token", "");
    auto after = token ? TRY(parse_token(*token)) : std::string(start.value_or(""));
    auto page = TRY(list_page(s3, request, after));
    XmlWriter xml("ListBucketResult");
    xml.value("Name", request.bucket->name);
    if (token) xml.value("ContinuationToken", *token);
    if (page.truncated) xml.value("NextContinuationToken", make_token(page.last));
    if (start) xml.value("StartAfter", request.encode(*start));
    xml.value("KeyCount", page.entries.size() + page.prefixes.size());
    write_list_request(xml, request, "MaxKeys", page.truncated);
    write_contents(xml, s3, request, page, context.parameter("fetch-owner").value_or("") == "true");
    http::Headers headers;
    headers.set("x-amz-bucket-region", request.bucket->region);
    return xml_response(std::move(xml), std::move(headers));
}

AwsResult<http::Response> list_key_versions(S3& s3, OperationContext& context) {
    auto request = TRY(parse_list_request(s3, context, "s3:ListBucketVersions", "max-keys"));
    auto marker = context.parameter("key-marker").value_or("");
    auto version_marker = context.parameter("version-id-marker");
    if (version_marker && version_marker->empty()) version_marker.reset();
    if (version_marker && marker.empty()) {
        return invalid_argument("A version-id marker cannot be specified without a key marker.",
                                "version-id-marker", *version_marker);
    }
    auto transaction = TRY(to_aws_result(s3.storage->index->read()));
    auto page = TRY(to_aws_result(list_versions(transaction, request.scope(), marker, version_marker)));
    XmlWriter xml("ListVersionsResult");
    xml.value("Name", request.bucket->name);
    xml.value("KeyMarker", request.encode(marker));
    xml.value("VersionIdMarker", version_marker.value_or(""));
    if (page.truncated) {
        xml.value("NextKeyMarker", request.encode(page.last));
        bool at_version = !page.entries.empty() && page.entries.back().key == page.last;
        if (at_version) xml.value("NextVersionIdMarker", to_version_id(page.entries.back()));
    }
    write_list_request(xml, request, "MaxKeys", page.truncated);
    for (const auto& version : page.entries) {
        xml.open(version.marker ? "DeleteMarker" : "Version");
        xml.value("Key", request.encode(version.key));
        xml.value("VersionId", to_version_id(version));
        xml.flag("IsLatest", version.latest);
        write_version_entry(xml, version);
        write_owner(xml, "Owner", s3);
        xml.close();
    }
    write_prefixes(xml, request, page.prefixes);
    return xml_response(std::move(xml));
}

AwsResult<http::Response> list_open_uploads(S3& s3, OperationContext& context) {
    auto request = TRY(parse_list_request(s3, context, "s3:ListBucketMultipartUploads", "max-uploads"));
    auto marker = context.parameter("key-marker").value_or("");
    auto upload_marker = context.parameter("upload-id-marker").value_or("");
    auto transaction = TRY(to_aws_result(s3.storage->index->read()));
    auto page = TRY(to_aws_result(list_uploads(transaction, request.scope(), marker, upload_marker)));
    XmlWriter xml("ListMultipartUploadsResult");
    xml.value("Bucket", request.bucket->name);
    xml.value("KeyMarker", request.encode(marker));
    xml.value("UploadIdMarker", upload_marker);
    if (page.truncated) {
        xml.value("NextKeyMarker", request.encode(page.last));
        bool at_upload = !page.entries.empty() && page.entries.back().key == page.last;
        xml.value("NextUploadIdMarker", at_upload ? std::string_view(page.entries.back().id) : "");
    }
    write_list_request(xml, request, "MaxUploads", page.truncated);
    for (const auto& upload : page.entries) {
        xml.open("Upload");
        xml.value("Key", request.encode(upload.key));
        xml.value("UploadId", upload.id);
        xml.open("Initiator");
        xml.value("ID", upload.initiator);
        xml.close();
        write_owner(xml, "Owner", s3);
        xml.value("StorageClass", upload.storage_class);
        xml.value("Initiated", format_iso_time(upload.started));
        if (upload.checksum.kind != ChecksumKind::none) {
            xml.value("ChecksumAlgorithm", to_string(upload.checksum.kind));
            xml.value("ChecksumType", upload.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
        }
        xml.close();
    }
    write_prefixes(xml, request, page.prefixes);
    return xml_response(std::move(xml));
}

}  // namespace integreat::s3
