// SPDX-License-Identifier: Apache-2.0
// Parts become an object: rows only, the bytes stay where they are.
#include <charconv>
#include <map>

#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"
#include "crypto/encoding.h"

namespace integreat::s3 {

namespace {

// A part as the client lists it.
struct Listed {
    int number = 0;
    std::string etag;
    std::string checksum;  // Base64; empty if not listed.
};

std::string_view without_quotes(std::string_view etag) {
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') return etag.substr(1, etag.size() - 2);
    return etag;
}

AwsError invalid_part(std::string_view upload_id, const Listed& listed) {
    return {.status = 400,
            .code = "InvalidPart",
            .message =
                "One or more of the specified parts could not be found.  The part may not have been "
                "uploaded, or the specified entity tag may not match the part's entity tag.",
            .details = {{"UploadId", std::string(upload_id)},
                        {"PartNumber", std::to_string(listed.number)},
                        {"ETag", listed.etag}}};
}

Tried<std::vector<Listed>> read_listed(const Element& root, ChecksumKind kind) {
    std::vector<Listed> listed;
    auto checksum_name = "Checksum" + std::string(name_of(kind));
    for (const auto& part : root.children) {
        auto text = part.value("PartNumber");
        Listed one{.number = 0,
                   .etag = std::string(without_quotes(part.value("ETag"))),
                   .checksum = std::string(part.value(checksum_name))};
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), one.number);
        bool good = failure == std::errc() && end == text.data() + text.size() && !one.etag.empty();
        if (part.name != "Part" || !good || listed.size() == part_number_max) return malformed_xml();
        if (!listed.empty() && one.number <= listed.back().number) {
            return AwsError{.status = 400,
                            .code = "InvalidPartOrder",
                            .message =
                                "The list of parts was not in ascending order. Parts must be ordered by "
                                "part number."};
        }
        listed.push_back(std::move(one));
    }
    if (listed.empty()) return malformed_xml();
    return listed;
}

Tried<> check_part(const Upload& upload, const Listed& listed, const Part& part, bool last) {
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

// The parts that were listed, in their order.
Tried<std::vector<Part>> choose(const Upload& upload, const std::vector<Listed>& listed,
                                std::vector<Part> uploaded) {
    std::map<int, Part> by_number;
    for (auto& part : uploaded)
        by_number.emplace(part.number, std::move(part));
    std::vector<Part> chosen;
    for (const auto& one : listed) {
        auto found = by_number.find(one.number);
        if (found == by_number.end()) return invalid_part(upload.id, one);
        TRY(check_part(upload, one, found->second, &one == &listed.back()));
        chosen.push_back(found->second);
    }
    return chosen;
}

std::string etag_of(const std::vector<Part>& parts) {
    crypto::Hasher md5(crypto::Hash::md5);
    for (const auto& part : parts)
        md5.update(*crypto::hex_decode(part.etag));
    return crypto::hex_encode(md5.finish()) + "-" + std::to_string(parts.size());
}

std::uint64_t number_of_bytes(std::string_view bytes) {
    std::uint64_t value = 0;
    for (char byte : bytes)
        value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

Checksum checksum_of(const Upload& upload, const std::vector<Part>& parts) {
    auto checksum = upload.checksum;
    if (checksum.kind == ChecksumKind::none) return checksum;
    auto crc = crc_of(checksum.kind);
    if (checksum.composite || !crc) {
        ChecksumSum sum(checksum.kind);
        for (const auto& part : parts)
            sum.update(*crypto::base64_decode(part.checksum.text));
        checksum.text = sum.finish();
        return checksum;
    }
    std::uint64_t value = 0;
    for (const auto& part : parts) {
        auto of_part = number_of_bytes(*crypto::base64_decode(part.checksum.text));
        value = crypto::crc_combine(*crc, value, of_part, part.size);
    }
    checksum.text = crypto::base64_encode(crypto::crc_bytes(*crc, value));
    return checksum;
}

// What the request claims of the whole.
Tried<> check_whole(const http::Headers& headers, const Version& version) {
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
    auto claimed = headers.get(checksum_header(version.checksum.kind));
    if (!claimed || *claimed == version.checksum.text ||
        *claimed == checksum_text(version.checksum, version.part_count))
        return {};
    return AwsError{.status = 400,
                    .code = "BadDigest",
                    .message = "The " + std::string(name_of(version.checksum.kind)) +
                               " you specified did not match the calculated checksum."};
}

Version version_of(const Upload& upload, const std::vector<Part>& parts) {
    Version version{.key = upload.key};
    for (const auto& part : parts)
        version.size += part.size;
    version.etag = etag_of(parts);
    version.part_count = static_cast<int>(parts.size());
    version.storage_class = upload.storage_class;
    version.checksum = checksum_of(upload, parts);
    version.headers = upload.headers;
    version.tags = upload.tags;
    return version;
}

Tried<> adopt_parts(Change& inside, const Upload& upload, const std::vector<Part>& parts,
                    std::int64_t content) {
    std::vector<PieceRow> rows;
    std::vector<FileNumber> kept;
    for (const auto& part : parts) {
        rows.push_back({.part = static_cast<int>(rows.size()) + 1,
                        .blob = part.blob,
                        .size = part.size,
                        .checksum = part.checksum.text});
        kept.push_back(part.blob);
    }
    TRY(insert_pieces(inside, content, rows));
    TRY(delete_upload(inside, upload, kept));
    return {};
}

}  // namespace

Done complete_upload(S3& s3, Exchange& exchange) {
    const auto& headers = exchange.request.headers;
    auto bucket = TRY(bucket_of(s3, exchange));
    TRY(permit(exchange, *bucket,
               {.action = "s3:PutObject", .resource = object_arn(bucket->name, exchange.key)}));
    auto upload = TRY(upload_of(s3, exchange, *bucket));
    auto root = TRY(parse_xml(exchange.body, "CompleteMultipartUpload"));
    auto listed = TRY(read_listed(root, upload.checksum.kind));
    auto overwrite = TRY(overwrite_of(headers));
    auto content = next_number(*s3.storage);
    Version version;
    version.modified = s3.storage->clock.now();
    auto rows = [&](Change& inside) -> Tried<> {
        // Looked at where it is changed: another may complete or abort it, or replace a part, meanwhile.
        if (!TRY(find_upload(inside.transaction, bucket->id, upload.key, upload.id)))
            return no_such_upload(upload.id);
        auto uploaded = TRY(list_parts(inside.transaction, upload, 0, part_number_max));
        auto parts = TRY(choose(upload, listed, std::move(uploaded)));
        auto modified = version.modified;
        version = version_of(upload, parts);
        version.modified = modified;
        version.content = content;
        if (version.size > object_bytes_max) return entity_too_large(version.size, object_bytes_max);
        TRY(check_whole(headers, version));
        auto present = TRY(find_object(inside.transaction, bucket->id, upload.key));
        TRY(check_overwrite(overwrite, present, upload.key));
        TRY(adopt_parts(inside, upload, parts, content));
        TRY(put_object(inside, *s3.storage, bucket->id, version));
        return {};
    };
    TRY(change(s3, rows));
    tell(s3, "ObjectCreated:CompleteMultipartUpload", *bucket, version);
    http::Headers answer;
    add_version(answer, version);
    add_encryption(answer, version.headers);
    XmlText xml("CompleteMultipartUploadResult");
    xml.value("Location", "http://" + std::string(headers.value("host")) + "/" + bucket->name + "/" +
                              url_encoded(version.key));
    xml.value("Bucket", bucket->name);
    xml.value("Key", version.key);
    xml.value("ETag", quoted(version.etag));
    write_checksum(xml, version.checksum, version.part_count);
    if (version.checksum.kind != ChecksumKind::none)
        xml.value("ChecksumType", version.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
    return answer_xml(std::move(xml), std::move(answer));
}

}  // namespace integreat::s3
