// SPDX-License-Identifier: Apache-2.0
// Completes a multipart upload. Only rows change; the bytes of the parts stay in place.
#include <charconv>
#include <map>

#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"
#include "crypto/encoding.h"

namespace integreat::s3 {

namespace {

// A part in the request body.
struct ListedPart {
    int number = 0;
    std::string etag;
    std::string checksum;  // Base64; empty if not listed.
};

std::string_view without_quotes(std::string_view etag) {
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') return etag.substr(1, etag.size() - 2);
    return etag;
}

AwsError invalid_part(std::string_view upload_id, const ListedPart& listed) {
    return {.status = 400,
            .code = "InvalidPart",
            .message =
                "One or more of the specified parts could not be found.  The part may not have been "
                "uploaded, or the specified entity tag may not match the part's entity tag.",
            .details = {{"UploadId", std::string(upload_id)},
                        {"PartNumber", std::to_string(listed.number)},
                        {"ETag", listed.etag}}};
}

AwsResult<std::vector<ListedPart>> parse_listed_parts(const Element& root, ChecksumKind kind) {
    std::vector<ListedPart> listed;
    auto checksum_name = "Checksum" + std::string(to_string(kind));
    for (const auto& part : root.children) {
        auto text = part.value("PartNumber");
        ListedPart entry{.number = 0,
                         .etag = std::string(without_quotes(part.value("ETag"))),
                         .checksum = std::string(part.value(checksum_name))};
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), entry.number);
        bool valid = failure == std::errc() && end == text.data() + text.size() && !entry.etag.empty();
        if (part.name != "Part" || !valid || listed.size() == part_number_max) return malformed_xml();
        if (!listed.empty() && entry.number <= listed.back().number) {
            return AwsError{.status = 400,
                            .code = "InvalidPartOrder",
                            .message =
                                "The list of parts was not in ascending order. Parts must be ordered by "
                                "part number."};
        }
        listed.push_back(std::move(entry));
    }
    if (listed.empty()) return malformed_xml();
    return listed;
}

AwsResult<> check_part(const Upload& upload, const ListedPart& listed, const Part& part, bool last) {
    if (part.etag != listed.etag) return invalid_part(upload.id, listed);
    if (upload.checksum.composite && listed.checksum.empty()) {
        return invalid_request(
            "The upload was created using a " + checksum_header(upload.checksum.kind).substr(15) +
            " checksum. The complete request must include the checksum for each part. It was "
            "missing for part " +
            std::to_string(listed.number) + " in the request.");
    }
    if (!listed.checksum.empty() && listed.checksum != part.checksum.text)
        return invalid_part(upload.id, listed);
    if (!last && part.size < part_bytes_min) {
        return AwsError{.status = 400,
                        .code = "EntityTooSmall",
                        .message = "Your proposed upload is smaller than the minimum allowed size",
                        .details = {{"ProposedSize", std::to_string(part.size)},
                                    {"MinSizeAllowed", std::to_string(part_bytes_min)},
                                    {"PartNumber", std::to_string(part.number)},
                                    {"ETag", part.etag}}};
    }
    return {};
}

// Returns the listed parts in order, after checking them.
AwsResult<std::vector<Part>> select_parts(const Upload& upload, const std::vector<ListedPart>& listed,
                                          std::vector<Part> uploaded) {
    std::map<int, Part> by_number;
    for (auto& part : uploaded)
        by_number.emplace(part.number, std::move(part));
    std::vector<Part> selected;
    for (const auto& entry : listed) {
        auto part = by_number.find(entry.number);
        if (part == by_number.end()) return invalid_part(upload.id, entry);
        TRY(check_part(upload, entry, part->second, &entry == &listed.back()));
        selected.push_back(part->second);
    }
    return selected;
}

std::string multipart_etag(const std::vector<Part>& parts) {
    crypto::Hasher md5(crypto::HashAlgorithm::md5);
    for (const auto& part : parts)
        md5.update(*crypto::hex_decode(part.etag));
    return crypto::hex_encode(md5.finish()) + "-" + std::to_string(parts.size());
}

std::uint64_t read_big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (char byte : bytes)
        value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

Checksum multipart_checksum(const Upload& upload, const std::vector<Part>& parts) {
    auto checksum = upload.checksum;
    if (checksum.kind == ChecksumKind::none) return checksum;
    auto crc = to_crc(checksum.kind);
    if (checksum.composite || !crc) {
        RunningChecksum sum(checksum.kind);
        for (const auto& part : parts)
            sum.update(*crypto::base64_decode(part.checksum.text));
        checksum.text = sum.finish();
        return checksum;
    }
    std::uint64_t value = 0;
    for (const auto& part : parts) {
        auto part_value = read_big_endian(*crypto::base64_decode(part.checksum.text));
        value = crypto::crc_combine(*crc, value, part_value, part.size);
    }
    checksum.text = crypto::base64_encode(crypto::crc_bytes(*crc, value));
    return checksum;
}

// Checks the size and the checksum that the request declares for the whole object.
AwsResult<> verify_object(const http::Headers& headers, const Version& version) {
    if (auto size = headers.get("x-amz-mp-object-size"); size && *size != std::to_string(version.size)) {
        return invalid_request("The provided 'x-amz-mp-object-size' header value " + std::string(*size) +
                               " does not match what was computed: " + std::to_string(version.size));
    }
    if (version.checksum.kind == ChecksumKind::none) return {};
    auto type = headers.get("x-amz-checksum-type");
    if (type && *type != (version.checksum.composite ? "COMPOSITE" : "FULL_OBJECT")) {
        return invalid_request("The upload was created using the " +
                               std::string(version.checksum.composite ? "COMPOSITE" : "FULL_OBJECT") +
                               " checksum mode. The complete request must use the same checksum mode.");
    }
    auto declared = headers.get(checksum_header(version.checksum.kind));
    if (!declared || *declared == version.checksum.text ||
        *declared == format_checksum(version.checksum, version.part_count))
        return {};
    return AwsError{.status = 400,
                    .code = "BadDigest",
                    .message = "The " + std::string(to_string(version.checksum.kind)) +
                               " you specified did not match the calculated checksum."};
}

Version make_version(const Upload& upload, const std::vector<Part>& parts) {
    Version version{.key = upload.key};
    for (const auto& part : parts)
        version.size += part.size;
    version.etag = multipart_etag(parts);
    version.part_count = static_cast<int>(parts.size());
    version.storage_class = upload.storage_class;
    version.checksum = multipart_checksum(upload, parts);
    version.headers = upload.headers;
    version.tags = upload.tags;
    return version;
}

AwsResult<> move_parts(WriteBatch& writes, const Upload& upload, const std::vector<Part>& parts,
                       std::int64_t content) {
    std::vector<PartRow> rows;
    std::vector<BlobId> kept;
    for (const auto& part : parts) {
        rows.push_back({.part = static_cast<int>(rows.size()) + 1,
                        .blob = part.blob,
                        .size = part.size,
                        .checksum = part.checksum.text});
        kept.push_back(part.blob);
    }
    TRY(to_aws_result(insert_part_rows(writes, content, rows)));
    TRY(to_aws_result(delete_upload(writes, upload, kept)));
    return {};
}

}  // namespace

AwsResult<http::Response> complete_upload(S3& s3, OperationContext& context) {
    const auto& headers = context.request.headers;
    auto bucket = TRY(request_bucket(s3, context));
    TRY(authorize(context, *bucket,
                  {.action = "s3:PutObject",
                   .resource = object_arn(bucket->name, context.key),
                   .keys = creation_condition_keys(true)}));
    auto upload = TRY(requested_upload(s3, context, *bucket));
    auto root = TRY(parse_xml(context.body, "CompleteMultipartUpload"));
    auto listed = TRY(parse_listed_parts(root, upload.checksum.kind));
    auto overwrite = TRY(parse_overwrite(headers));
    auto content = next_number(*s3.storage);
    Version version;
    version.modified = s3.storage->clock.now();
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        // Read in the same transaction, because another request may complete or abort the upload or replace a
        // part.
        if (!TRY(to_aws_result(find_upload(writes.transaction, bucket->id, upload.key, upload.id))))
            return no_such_upload(upload.id);
        auto uploaded = TRY(to_aws_result(list_parts(writes.transaction, upload, 0, part_number_max)));
        auto parts = TRY(select_parts(upload, listed, std::move(uploaded)));
        auto modified = version.modified;
        version = make_version(upload, parts);
        version.modified = modified;
        version.content = content;
        if (version.size > object_bytes_max) return entity_too_large(version.size, object_bytes_max);
        TRY(verify_object(headers, version));
        auto present = TRY(to_aws_result(find_object(writes.transaction, bucket->id, upload.key)));
        TRY(check_overwrite(overwrite, present, upload.key));
        TRY(move_parts(writes, upload, parts, content));
        TRY(to_aws_result(put_object(writes, *s3.storage, bucket->id, version)));
        return {};
    };
    TRY(run_write_transaction(s3, rows));
    publish_event(s3, "ObjectCreated:CompleteMultipartUpload", *bucket, version);
    http::Headers response_headers;
    add_version_headers(response_headers, version);
    add_encryption_headers(response_headers, version.headers);
    XmlWriter xml("CompleteMultipartUploadResult");
    xml.value("Location", "http://" + std::string(headers.value("host")) + "/" + bucket->name + "/" +
                              url_encode(version.key));
    xml.value("Bucket", bucket->name);
    xml.value("Key", version.key);
    xml.value("ETag", quote_etag(version.etag));
    write_checksum(xml, version.checksum, version.part_count);
    if (version.checksum.kind != ChecksumKind::none)
        xml.value("ChecksumType", version.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
    return xml_response(std::move(xml), std::move(response_headers));
}

}  // namespace integreat::s3
