// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

// Parses the checksum algorithm and type of an upload. CRC-64 supports only full-object checksums; hashes
// cannot be combined and support only composite ones.
AwsResult<Checksum> parse_upload_checksum(const http::Headers& headers) {
    Checksum checksum;
    auto algorithm = headers.get("x-amz-checksum-algorithm");
    auto type = headers.get("x-amz-checksum-type");
    if (!algorithm) {
        if (type)
            return invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
        return checksum;
    }
    auto kind = parse_checksum_kind(*algorithm);
    if (!kind) {
        return invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the "
            "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    }
    checksum.kind = *kind;
    bool full_object_only = *kind == ChecksumKind::crc64nvme;
    bool composite_only = *kind == ChecksumKind::sha1 || *kind == ChecksumKind::sha256;
    auto checksum_type = type.value_or(full_object_only ? "FULL_OBJECT" : "COMPOSITE");
    bool valid = checksum_type == "COMPOSITE" || checksum_type == "FULL_OBJECT";
    if (!valid) return invalid_request("Value for x-amz-checksum-type header is invalid.");
    checksum.composite = checksum_type == "COMPOSITE";
    if ((checksum.composite && full_object_only) || (!checksum.composite && composite_only)) {
        return invalid_request("The " + std::string(checksum_type) +
                               " checksum type cannot be used with the " + checksum_header(*kind).substr(15) +
                               " checksum algorithm.");
    }
    return checksum;
}

}  // namespace

AwsResult<int> parse_part_number(const OperationContext& context) {
    auto text = context.parameter("partNumber").value_or("");
    int number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size() || number < 1 ||
        number > part_number_max) {
        return invalid_argument("Part number must be an integer between 1 and 10000, inclusive", "partNumber",
                                text);
    }
    return number;
}

AwsResult<Upload> requested_upload(S3& s3, const OperationContext& context, const Bucket& bucket) {
    auto id = context.parameter("uploadId").value_or("");
    auto transaction = TRY(to_aws_result(s3.storage->index->read()));
    auto upload = TRY(to_aws_result(find_upload(transaction, bucket.id, context.key, id)));
    if (!upload) return no_such_upload(id);
    return *std::move(upload);
}

AwsResult<http::Response> create_upload(S3& s3, OperationContext& context) {
    const auto& headers = context.request.headers;
    auto bucket = TRY(request_bucket(s3, context));
    TRY(check_key(context.key));
    auto tags = TRY(parse_tagging_header(headers));
    auto keys = tag_condition_keys("s3:RequestObjectTag", tags);
    auto resource = object_arn(bucket->name, context.key);
    TRY(authorize(
        context, *bucket,
        {.action = "s3:PutObject", .resource = resource, .keys = creation_condition_keys(false, keys)}));
    if (!tags.empty())
        TRY(authorize(context, *bucket,
                      {.action = "s3:PutObjectTagging", .resource = resource, .keys = keys}));
    TRY(reject_unsupported_headers(headers));
    Upload upload{.number = next_number(*s3.storage),
                  .key = context.key,
                  .id = {},
                  .started = s3.storage->clock.now(),
                  .initiator = context.caller.principal.arn};
    upload.id = make_version_id(upload.number, s3.storage->random);
    upload.headers = TRY(parse_stored_headers(headers));
    upload.tags = std::move(tags);
    upload.storage_class = TRY(parse_storage_class(headers));
    upload.checksum = TRY(parse_upload_checksum(headers));
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        TRY(to_aws_result(insert_upload(writes, bucket->id, upload)));
        return {};
    };
    TRY(run_write_transaction(s3, rows));
    http::Headers response_headers;
    add_encryption_headers(response_headers, upload.headers);
    if (upload.checksum.kind != ChecksumKind::none) {
        response_headers.set("x-amz-checksum-algorithm", to_string(upload.checksum.kind));
        response_headers.set("x-amz-checksum-type", upload.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
    }
    XmlWriter xml("InitiateMultipartUploadResult");
    xml.value("Bucket", bucket->name);
    xml.value("Key", upload.key);
    xml.value("UploadId", upload.id);
    return xml_response(std::move(xml), std::move(response_headers));
}

AwsResult<http::Response> abort_upload(S3& s3, OperationContext& context) {
    auto bucket = TRY(request_bucket(s3, context));
    TRY(authorize(context, *bucket,
                  {.action = "s3:AbortMultipartUpload", .resource = object_arn(bucket->name, context.key)}));
    auto id = context.parameter("uploadId").value_or("");
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        auto upload = TRY(to_aws_result(find_upload(writes.transaction, bucket->id, context.key, id)));
        if (!upload) return no_such_upload(id);
        TRY(to_aws_result(delete_upload(writes, *upload)));
        return {};
    };
    TRY(run_write_transaction(s3, rows));
    return empty_response(204);
}

AwsResult<http::Response> list_upload_parts(S3& s3, OperationContext& context) {
    auto bucket = TRY(request_bucket(s3, context));
    TRY(authorize(
        context, *bucket,
        {.action = "s3:ListMultipartUploadParts", .resource = object_arn(bucket->name, context.key)}));
    auto upload = TRY(requested_upload(s3, context, *bucket));
    auto count_max = TRY(parse_int_parameter(context, "max-parts", page_count_max, page_count_max));
    auto after = TRY(parse_int_parameter(context, "part-number-marker", 0, part_number_max));
    auto transaction = TRY(to_aws_result(s3.storage->index->read()));
    auto parts = TRY(to_aws_result(list_parts(transaction, upload, after, count_max + 1)));
    bool truncated = parts.size() > static_cast<std::size_t>(count_max);
    if (truncated) parts.pop_back();
    XmlWriter xml("ListPartsResult");
    xml.value("Bucket", bucket->name);
    xml.value("Key", upload.key);
    xml.value("UploadId", upload.id);
    xml.open("Initiator");
    xml.value("ID", upload.initiator);
    xml.close();
    write_owner(xml, "Owner", s3);
    xml.value("StorageClass", upload.storage_class);
    if (upload.checksum.kind != ChecksumKind::none) {
        xml.value("ChecksumAlgorithm", to_string(upload.checksum.kind));
        xml.value("ChecksumType", upload.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
    }
    xml.value("PartNumberMarker", static_cast<std::uint64_t>(after));
    if (!parts.empty()) xml.value("NextPartNumberMarker", static_cast<std::uint64_t>(parts.back().number));
    xml.value("MaxParts", static_cast<std::uint64_t>(count_max));
    xml.flag("IsTruncated", truncated);
    for (const auto& part : parts) {
        xml.open("Part");
        xml.value("PartNumber", static_cast<std::uint64_t>(part.number));
        xml.value("LastModified", format_iso_time(part.modified));
        xml.value("ETag", quote_etag(part.etag));
        xml.value("Size", part.size);
        write_checksum(xml, part.checksum, 0);
        xml.close();
    }
    return xml_response(std::move(xml));
}

}  // namespace integreat::s3
