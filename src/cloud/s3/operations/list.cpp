// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"
#include "cloud/s3/store/listing.h"
#include "crypto/encoding.h"

namespace integreat::s3 {

namespace {

// What all listings take, and how they write keys.
struct Asked {
    BucketPointer bucket;
    std::string_view prefix;
    std::string_view delimiter;
    int count_max = page_count_max;
    bool encoded = false;

    ListingScope scope() const {
        return {.bucket = bucket->id, .prefix = prefix, .delimiter = delimiter, .count_max = count_max};
    }
    std::string text(std::string_view key) const { return encoded ? url_encoded(key) : std::string(key); }
};

Tried<Asked> read_asked(S3& s3, Exchange& exchange, std::string_view action, std::string_view count_name) {
    Asked asked;
    asked.bucket = TRY(bucket_of(s3, exchange));
    policy::Context keys;
    for (std::string_view name : {std::string_view("prefix"), std::string_view("delimiter"), count_name}) {
        if (auto value = exchange.parameter(name))
            policy::set(keys, "s3:" + std::string(name), std::string(*value));
    }
    TRY(permit(exchange, *asked.bucket,
               {.action = action, .resource = bucket_arn(asked.bucket->name), .keys = std::move(keys)}));
    asked.prefix = exchange.parameter("prefix").value_or("");
    asked.delimiter = exchange.parameter("delimiter").value_or("");
    asked.count_max = TRY(number_of(exchange, count_name, page_count_max, page_count_max));
    auto encoding = exchange.parameter("encoding-type").value_or("");
    if (!encoding.empty() && encoding != "url")
        return invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", encoding);
    asked.encoded = encoding == "url";
    return asked;
}

void write_asked(XmlText& xml, const Asked& asked, std::string_view count_name, bool truncated) {
    xml.value("Prefix", asked.text(asked.prefix));
    if (!asked.delimiter.empty()) xml.value("Delimiter", asked.text(asked.delimiter));
    if (asked.encoded) xml.value("EncodingType", "url");
    xml.value(count_name, static_cast<std::uint64_t>(asked.count_max));
    xml.flag("IsTruncated", truncated);
}

void write_prefixes(XmlText& xml, const Asked& asked, const std::vector<std::string>& prefixes) {
    for (const auto& prefix : prefixes) {
        xml.open("CommonPrefixes");
        xml.value("Prefix", asked.text(prefix));
        xml.close();
    }
}

void write_version_entry(XmlText& xml, const Version& version) {
    xml.value("LastModified", iso_time(version.modified));
    if (version.marker) return;
    xml.value("ETag", quoted(version.etag));
    if (version.checksum.kind != ChecksumKind::none && !version.checksum.text.empty()) {
        xml.value("ChecksumAlgorithm", name_of(version.checksum.kind));
        xml.value("ChecksumType", version.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
    }
    xml.value("Size", version.size);
    xml.value("StorageClass", version.storage_class);
}

void write_contents(XmlText& xml, const S3& s3, const Asked& asked, const Page<Version>& page, bool owner) {
    for (const auto& version : page.entries) {
        xml.open("Contents");
        xml.value("Key", asked.text(version.key));
        write_version_entry(xml, version);
        if (owner) write_owner(xml, "Owner", s3);
        xml.close();
    }
    write_prefixes(xml, asked, page.prefixes);
}

Tried<Page<Version>> page_after(S3& s3, const Asked& asked, std::string_view after) {
    auto transaction = TRY(s3.storage->index->read());
    return TRY(list_objects(transaction, asked.scope(), after));
}

// A continuation token says where to go on; clients must not look inside.
std::string token_of(std::string_view last) {
    return "1" + crypto::base64url_encode(last);
}

Tried<std::string> key_of_token(std::string_view token) {
    auto key = token.starts_with('1') ? crypto::base64url_decode(token.substr(1)) : std::nullopt;
    if (!key) {
        return invalid_argument("The continuation token provided is incorrect", "continuation-token", token);
    }
    return *std::move(key);
}

}  // namespace

Done list_keys(S3& s3, Exchange& exchange) {
    auto asked = TRY(read_asked(s3, exchange, "s3:ListBucket", "max-keys"));
    auto marker = exchange.parameter("marker").value_or("");
    auto page = TRY(page_after(s3, asked, marker));
    XmlText xml("ListBucketResult");
    xml.value("Name", asked.bucket->name);
    xml.value("Marker", asked.text(marker));
    if (page.truncated && !asked.delimiter.empty()) xml.value("NextMarker", asked.text(page.last));
    write_asked(xml, asked, "MaxKeys", page.truncated);
    write_contents(xml, s3, asked, page, true);
    http::Headers headers;
    headers.set("x-amz-bucket-region", asked.bucket->region);
    return answer_xml(std::move(xml), std::move(headers));
}

Done list_keys_v2(S3& s3, Exchange& exchange) {
    auto asked = TRY(read_asked(s3, exchange, "s3:ListBucket", "max-keys"));
    auto start = exchange.parameter("start-after");
    auto token = exchange.parameter("continuation-token");
    if (token && token->empty())
        return invalid_argument("The continuation token provided is incorrect", "continuation-token", "");
    auto after = token ? TRY(key_of_token(*token)) : std::string(start.value_or(""));
    auto page = TRY(page_after(s3, asked, after));
    XmlText xml("ListBucketResult");
    xml.value("Name", asked.bucket->name);
    if (token) xml.value("ContinuationToken", *token);
    if (page.truncated) xml.value("NextContinuationToken", token_of(page.last));
    if (start) xml.value("StartAfter", asked.text(*start));
    xml.value("KeyCount", page.entries.size() + page.prefixes.size());
    write_asked(xml, asked, "MaxKeys", page.truncated);
    write_contents(xml, s3, asked, page, exchange.parameter("fetch-owner").value_or("") == "true");
    http::Headers headers;
    headers.set("x-amz-bucket-region", asked.bucket->region);
    return answer_xml(std::move(xml), std::move(headers));
}

Done list_key_versions(S3& s3, Exchange& exchange) {
    auto asked = TRY(read_asked(s3, exchange, "s3:ListBucketVersions", "max-keys"));
    auto marker = exchange.parameter("key-marker").value_or("");
    auto version_marker = exchange.parameter("version-id-marker");
    if (version_marker && version_marker->empty()) version_marker.reset();
    if (version_marker && marker.empty()) {
        return invalid_argument("A version-id marker cannot be specified without a key marker.",
                                "version-id-marker", *version_marker);
    }
    auto transaction = TRY(s3.storage->index->read());
    auto page = TRY(list_versions(transaction, asked.scope(), marker, version_marker));
    XmlText xml("ListVersionsResult");
    xml.value("Name", asked.bucket->name);
    xml.value("KeyMarker", asked.text(marker));
    xml.value("VersionIdMarker", version_marker.value_or(""));
    if (page.truncated) {
        xml.value("NextKeyMarker", asked.text(page.last));
        bool at_version = !page.entries.empty() && page.entries.back().key == page.last;
        if (at_version) xml.value("NextVersionIdMarker", version_name(page.entries.back()));
    }
    write_asked(xml, asked, "MaxKeys", page.truncated);
    for (const auto& version : page.entries) {
        xml.open(version.marker ? "DeleteMarker" : "Version");
        xml.value("Key", asked.text(version.key));
        xml.value("VersionId", version_name(version));
        xml.flag("IsLatest", version.latest);
        write_version_entry(xml, version);
        write_owner(xml, "Owner", s3);
        xml.close();
    }
    write_prefixes(xml, asked, page.prefixes);
    return answer_xml(std::move(xml));
}

Done list_open_uploads(S3& s3, Exchange& exchange) {
    auto asked = TRY(read_asked(s3, exchange, "s3:ListBucketMultipartUploads", "max-uploads"));
    auto marker = exchange.parameter("key-marker").value_or("");
    auto upload_marker = exchange.parameter("upload-id-marker").value_or("");
    auto transaction = TRY(s3.storage->index->read());
    auto page = TRY(list_uploads(transaction, asked.scope(), marker, upload_marker));
    XmlText xml("ListMultipartUploadsResult");
    xml.value("Bucket", asked.bucket->name);
    xml.value("KeyMarker", asked.text(marker));
    xml.value("UploadIdMarker", upload_marker);
    if (page.truncated) {
        xml.value("NextKeyMarker", asked.text(page.last));
        bool at_upload = !page.entries.empty() && page.entries.back().key == page.last;
        xml.value("NextUploadIdMarker", at_upload ? std::string_view(page.entries.back().id) : "");
    }
    write_asked(xml, asked, "MaxUploads", page.truncated);
    for (const auto& upload : page.entries) {
        xml.open("Upload");
        xml.value("Key", asked.text(upload.key));
        xml.value("UploadId", upload.id);
        xml.open("Initiator");
        xml.value("ID", upload.initiator);
        xml.close();
        write_owner(xml, "Owner", s3);
        xml.value("StorageClass", upload.storage_class);
        xml.value("Initiated", iso_time(upload.started));
        if (upload.checksum.kind != ChecksumKind::none) {
            xml.value("ChecksumAlgorithm", name_of(upload.checksum.kind));
            xml.value("ChecksumType", upload.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
        }
        xml.close();
    }
    write_prefixes(xml, asked, page.prefixes);
    return answer_xml(std::move(xml));
}

}  // namespace integreat::s3
