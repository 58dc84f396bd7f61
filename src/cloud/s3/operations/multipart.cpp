// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

// CRC-64 is only ever the sum of the whole; hashes cannot be combined and are only ever sums of sums.
Tried<Checksum> checksum_of_upload(const http::Headers& headers) {
    Checksum checksum;
    auto algorithm = headers.get("x-amz-checksum-algorithm");
    auto type = headers.get("x-amz-checksum-type");
    if (!algorithm) {
        if (type)
            return invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
        return checksum;
    }
    auto kind = checksum_kind_from(*algorithm);
    if (!kind) {
        return invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the "
            "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    }
    checksum.kind = *kind;
    bool whole_only = *kind == ChecksumKind::crc64nvme;
    bool parts_only = *kind == ChecksumKind::sha1 || *kind == ChecksumKind::sha256;
    auto wanted = type.value_or(whole_only ? "FULL_OBJECT" : "COMPOSITE");
    bool known = wanted == "COMPOSITE" || wanted == "FULL_OBJECT";
    if (!known) return invalid_request("Value for x-amz-checksum-type header is invalid.");
    checksum.composite = wanted == "COMPOSITE";
    if ((checksum.composite && whole_only) || (!checksum.composite && parts_only)) {
        return invalid_request("The " + std::string(wanted) + " checksum type cannot be used with the " +
                               checksum_header(*kind).substr(15) + " checksum algorithm.");
    }
    return checksum;
}

}  // namespace

Tried<int> part_number_of(const Exchange& exchange) {
    auto text = exchange.parameter("partNumber").value_or("");
    int number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size() || number < 1 ||
        number > part_number_max) {
        return invalid_argument("Part number must be an integer between 1 and 10000, inclusive", "partNumber",
                                text);
    }
    return number;
}

Tried<Upload> upload_of(S3& s3, const Exchange& exchange, const Bucket& bucket) {
    auto id = exchange.parameter("uploadId").value_or("");
    auto transaction = TRY(s3.storage->index->read());
    auto upload = TRY(find_upload(transaction, bucket.id, exchange.key, id));
    if (!upload) return no_such_upload(id);
    return *std::move(upload);
}

Done create_upload(S3& s3, Exchange& exchange) {
    const auto& headers = exchange.request.headers;
    auto bucket = TRY(bucket_of(s3, exchange));
    TRY(check_key(exchange.key));
    auto tags = TRY(tags_of_header(headers));
    auto keys = keys_of_tags("s3:RequestObjectTag", tags);
    auto resource = object_arn(bucket->name, exchange.key);
    TRY(permit(exchange, *bucket, {.action = "s3:PutObject", .resource = resource, .keys = keys}));
    if (!tags.empty())
        TRY(permit(exchange, *bucket, {.action = "s3:PutObjectTagging", .resource = resource, .keys = keys}));
    TRY(refuse_what_is_not_there(headers));
    Upload upload{.number = next_number(*s3.storage),
                  .key = exchange.key,
                  .id = {},
                  .started = s3.storage->clock.now(),
                  .initiator = exchange.caller.who.arn};
    upload.id = make_version_id(upload.number, s3.storage->random);
    upload.headers = TRY(kept_headers(headers));
    upload.tags = std::move(tags);
    upload.storage_class = TRY(storage_class_of(headers));
    upload.checksum = TRY(checksum_of_upload(headers));
    auto rows = [&](Change& inside) -> Tried<> {
        TRY(insert_upload(inside, bucket->id, upload));
        return {};
    };
    TRY(change(s3, rows));
    http::Headers answer;
    add_encryption(answer, upload.headers);
    if (upload.checksum.kind != ChecksumKind::none) {
        answer.set("x-amz-checksum-algorithm", name_of(upload.checksum.kind));
        answer.set("x-amz-checksum-type", upload.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
    }
    XmlText xml("InitiateMultipartUploadResult");
    xml.value("Bucket", bucket->name);
    xml.value("Key", upload.key);
    xml.value("UploadId", upload.id);
    return answer_xml(std::move(xml), std::move(answer));
}

Done abort_upload(S3& s3, Exchange& exchange) {
    auto bucket = TRY(bucket_of(s3, exchange));
    TRY(permit(exchange, *bucket,
               {.action = "s3:AbortMultipartUpload", .resource = object_arn(bucket->name, exchange.key)}));
    auto id = exchange.parameter("uploadId").value_or("");
    auto rows = [&](Change& inside) -> Tried<> {
        auto upload = TRY(find_upload(inside.transaction, bucket->id, exchange.key, id));
        if (!upload) return no_such_upload(id);
        TRY(delete_upload(inside, *upload));
        return {};
    };
    TRY(change(s3, rows));
    return answer_empty(204);
}

Done list_upload_parts(S3& s3, Exchange& exchange) {
    auto bucket = TRY(bucket_of(s3, exchange));
    TRY(permit(
        exchange, *bucket,
        {.action = "s3:ListMultipartUploadParts", .resource = object_arn(bucket->name, exchange.key)}));
    auto upload = TRY(upload_of(s3, exchange, *bucket));
    auto count_max = TRY(number_of(exchange, "max-parts", page_count_max, page_count_max));
    auto after = TRY(number_of(exchange, "part-number-marker", 0, part_number_max));
    auto transaction = TRY(s3.storage->index->read());
    auto parts = TRY(list_parts(transaction, upload, after, count_max + 1));
    bool truncated = parts.size() > static_cast<std::size_t>(count_max);
    if (truncated) parts.pop_back();
    XmlText xml("ListPartsResult");
    xml.value("Bucket", bucket->name);
    xml.value("Key", upload.key);
    xml.value("UploadId", upload.id);
    xml.open("Initiator");
    xml.value("ID", upload.initiator);
    xml.close();
    write_owner(xml, "Owner", s3);
    xml.value("StorageClass", upload.storage_class);
    if (upload.checksum.kind != ChecksumKind::none) {
        xml.value("ChecksumAlgorithm", name_of(upload.checksum.kind));
        xml.value("ChecksumType", upload.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
    }
    xml.value("PartNumberMarker", static_cast<std::uint64_t>(after));
    if (!parts.empty()) xml.value("NextPartNumberMarker", static_cast<std::uint64_t>(parts.back().number));
    xml.value("MaxParts", static_cast<std::uint64_t>(count_max));
    xml.flag("IsTruncated", truncated);
    for (const auto& part : parts) {
        xml.open("Part");
        xml.value("PartNumber", static_cast<std::uint64_t>(part.number));
        xml.value("LastModified", iso_time(part.modified));
        xml.value("ETag", quoted(part.etag));
        xml.value("Size", part.size);
        write_checksum(xml, part.checksum, 0);
        xml.close();
    }
    return answer_xml(std::move(xml));
}

}  // namespace integreat::s3
