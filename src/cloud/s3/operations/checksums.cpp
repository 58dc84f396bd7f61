// SPDX-License-Identifier: Apache-2.0
// What a request says about the bytes it brings, and what is kept beside them.
#include <algorithm>
#include <array>

#include "base/text/utf8.h"
#include "cloud/s3/operations/request.h"
#include "cloud/s3/store/limits.h"
#include "crypto/encoding.h"
#include "http/routing/router.h"

namespace integreat::s3 {

namespace {

struct ChecksumName {
    ChecksumKind kind;
    std::string_view name;
    std::size_t bytes;
};
constexpr std::array<ChecksumName, 5> checksum_names{{{ChecksumKind::crc32, "CRC32", 4},
                                                      {ChecksumKind::crc32c, "CRC32C", 4},
                                                      {ChecksumKind::crc64nvme, "CRC64NVME", 8},
                                                      {ChecksumKind::sha1, "SHA1", 20},
                                                      {ChecksumKind::sha256, "SHA256", 32}}};

constexpr std::array<std::string_view, 7> kept_names{"content-type",
                                                     "cache-control",
                                                     "content-disposition",
                                                     "content-encoding",
                                                     "content-language",
                                                     "expires",
                                                     "x-amz-website-redirect-location"};

constexpr std::array<std::string_view, 6> storage_classes{
    "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR", "INTELLIGENT_TIERING"};

std::string lower(std::string_view text) {
    std::string result(text);
    for (auto& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

// "aws-chunked,gzip" → "gzip": the coding of the transfer is not the object's.
std::string without_aws_chunked(std::string_view encoding) {
    std::string kept;
    while (!encoding.empty()) {
        auto comma = std::min(encoding.find(','), encoding.size());
        auto one = encoding.substr(0, comma);
        encoding.remove_prefix(std::min(comma + 1, encoding.size()));
        while (one.starts_with(' '))
            one.remove_prefix(1);
        while (one.ends_with(' '))
            one.remove_suffix(1);
        if (one.empty() || http::equal_ignoring_case(one, "aws-chunked")) continue;
        (kept += kept.empty() ? "" : ",") += one;
    }
    return kept;
}

Tried<> keep_encryption(const http::Headers& headers, Pairs& kept) {
    auto algorithm = headers.get("x-amz-server-side-encryption");
    if (!algorithm) {
        kept.emplace_back("x-amz-server-side-encryption", "AES256");
        return {};
    }
    if (*algorithm != "AES256" && *algorithm != "aws:kms" && *algorithm != "aws:kms:dsse") {
        return invalid_argument("The encryption method specified is not supported",
                                "x-amz-server-side-encryption", *algorithm);
    }
    kept.emplace_back("x-amz-server-side-encryption", *algorithm);
    if (auto key = headers.get("x-amz-server-side-encryption-aws-kms-key-id"))
        kept.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", *key);
    return {};
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Letters, digits and spaces of any language, and + - = . _ : / @
bool tag_characters(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        auto byte = static_cast<unsigned char>(c);
        return byte >= 0x80 || std::isalnum(byte) ||
               std::string_view(" +-=._:/@").find(c) != std::string_view::npos;
    });
}

AwsError wrong_checksum(ChecksumKind kind) {
    return {.status = 400,
            .code = "BadDigest",
            .message = "The " + std::string(name_of(kind)) +
                       " you specified did not match the calculated checksum."};
}

}  // namespace

std::string_view name_of(ChecksumKind kind) {
    for (const auto& one : checksum_names) {
        if (one.kind == kind) return one.name;
    }
    return {};
}

std::optional<ChecksumKind> checksum_kind_from(std::string_view name) {
    for (const auto& one : checksum_names) {
        if (http::equal_ignoring_case(one.name, name)) return one.kind;
    }
    return std::nullopt;
}

std::string checksum_header(ChecksumKind kind) {
    return "x-amz-checksum-" + lower(name_of(kind));
}

Tried<Pairs> kept_headers(const http::Headers& headers) {
    Pairs kept;
    std::size_t metadata_bytes = 0;
    for (auto [name, value] : headers) {
        auto known = lower(name);
        bool metadata = known.starts_with("x-amz-meta-");
        if (!metadata && std::find(kept_names.begin(), kept_names.end(), known) == kept_names.end()) continue;
        if (metadata) metadata_bytes += known.size() - std::string_view("x-amz-meta-").size() + value.size();
        // A form's fields may hold anything; these become header fields of every answer.
        if (std::any_of(value.begin(), value.end(),
                        [](char c) { return c == '\r' || c == '\n' || c == '\0'; }))
            return invalid_argument("The header value has control characters", known, "");
        if (!metadata && value.size() > header_value_bytes_max)
            return invalid_argument(
                "The header is longer than " + std::to_string(header_value_bytes_max) + " bytes", known,
                value.substr(0, 64));
        if (known == "content-encoding") {
            if (auto encoding = without_aws_chunked(value); !encoding.empty())
                kept.emplace_back(known, encoding);
            continue;
        }
        kept.emplace_back(std::move(known), value);
    }
    if (metadata_bytes > metadata_bytes_max) {
        return AwsError{.status = 400,
                        .code = "MetadataTooLarge",
                        .message = "Your metadata headers exceed the maximum allowed metadata size",
                        .details = {{"Size", std::to_string(metadata_bytes)},
                                    {"MaxSizeAllowed", std::to_string(metadata_bytes_max)}}};
    }
    TRY(keep_encryption(headers, kept));
    return kept;
}

Tried<std::string> storage_class_of(const http::Headers& headers) {
    auto wanted = headers.get("x-amz-storage-class").value_or("STANDARD");
    if (std::find(storage_classes.begin(), storage_classes.end(), wanted) == storage_classes.end()) {
        return AwsError{.status = 400,
                        .code = "InvalidStorageClass",
                        .message = "The storage class you specified is not valid",
                        .details = {{"StorageClassRequested", std::string(wanted)}}};
    }
    return std::string(wanted);
}

Tried<> refuse_what_is_not_there(const http::Headers& headers) {
    for (auto [name, value] : headers) {
        auto known = lower(name);
        if (known.starts_with("x-amz-object-lock-"))
            return invalid_request("Bucket is missing Object Lock Configuration");
        if (known.starts_with("x-amz-server-side-encryption-customer-"))
            return not_implemented("encryption with keys of the customer");
        bool own = value == "private" || value == "bucket-owner-full-control";
        if (known.starts_with("x-amz-grant-") || (known == "x-amz-acl" && !own)) {
            return AwsError{.status = 400,
                            .code = "AccessControlListNotSupported",
                            .message = "The bucket does not allow ACLs"};
        }
    }
    return {};
}

Tried<Pairs> tags_of_header(const http::Headers& headers) {
    auto text = headers.get("x-amz-tagging");
    if (!text) return Pairs();
    auto pairs = http::parse_query(*text);
    if (!pairs) {
        return invalid_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
            "without tag name duplicates.",
            "x-amz-tagging", *text);
    }
    TRY(check_tags(*pairs, object_tags_max));
    return *std::move(pairs);
}

Tried<> check_tags(const Pairs& tags, std::size_t count_max) {
    if (tags.size() > count_max) {
        return AwsError{.status = 400,
                        .code = "BadRequest",
                        .message = count_max == object_tags_max ? "Object tags cannot be greater than 10"
                                                                : "Bucket tag count cannot be greater than " +
                                                                      std::to_string(count_max)};
    }
    for (auto tag = tags.begin(); tag != tags.end(); ++tag) {
        const auto& key = tag->first;
        const auto& value = tag->second;
        bool valid = !invalid_utf8_at(key) && !invalid_utf8_at(value);
        if (key.empty() || !valid || characters(key) > tag_key_characters_max || !tag_characters(key))
            return invalid_tag("The TagKey you have provided is invalid");
        if (characters(value) > tag_value_characters_max || !tag_characters(value))
            return invalid_tag("The TagValue you have provided is invalid");
        if (lower(key).starts_with("aws:"))
            return invalid_tag("System tags cannot be added/updated by requester");
        auto same = [&key](const auto& other) { return other.first == key; };
        if (std::find_if(tags.begin(), tag, same) != tag)
            return invalid_tag("Cannot provide multiple Tags with the same key");
    }
    return {};
}

Tried<Claims> claims_of(const http::Headers& headers) {
    Claims claims;
    if (auto md5 = headers.get("content-md5")) {
        auto bytes = crypto::base64_decode(*md5);
        if (!bytes || bytes->size() != 16) return invalid_digest();
        claims.md5 = *std::move(bytes);
    }
    for (const auto& one : checksum_names) {
        auto value = headers.get(checksum_header(one.kind));
        if (!value) continue;
        if (claims.kind != ChecksumKind::none)
            return invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                "allowed.");
        auto bytes = crypto::base64_decode(*value);
        if (!bytes || bytes->size() != one.bytes)
            return invalid_request("Value for " + checksum_header(one.kind) + " header is invalid.");
        claims.kind = one.kind;
        claims.checksum = *value;
    }
    if (auto trailer = headers.get("x-amz-trailer")) {
        auto name = lower(*trailer);
        auto kind = name.starts_with("x-amz-checksum-") ? checksum_kind_from(name.substr(15)) : std::nullopt;
        if (!kind || claims.kind != ChecksumKind::none)
            return invalid_request("The value specified in the x-amz-trailer header is not supported");
        claims.kind = *kind;
        claims.in_trailer = true;
    }
    if (auto algorithm = headers.get("x-amz-sdk-checksum-algorithm"); algorithm && !algorithm->empty()) {
        auto kind = checksum_kind_from(*algorithm);
        if (!kind) {
            return invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid.");
        }
        if (claims.kind != ChecksumKind::none && claims.kind != *kind)
            return invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid.");
    }
    return claims;
}

Tried<> check_claims(Claims claims, const Body& body, const cloud::Parameters& trailers) {
    if (!claims.md5.empty() && claims.md5 != body.md5())
        return bad_digest(crypto::base64_encode(claims.md5), crypto::base64_encode(body.md5()));
    if (claims.in_trailer) {
        auto name = checksum_header(claims.kind);
        for (const auto& [trailer, value] : trailers) {
            if (trailer == name) claims.checksum = value;
        }
        if (claims.checksum.empty()) {
            return AwsError{.status = 400,
                            .code = "MalformedTrailerError",
                            .message =
                                "The request contained trailing data that was not well-formed or did not "
                                "conform to our published schema."};
        }
    }
    if (!claims.checksum.empty() && claims.checksum != body.checksum().text)
        return wrong_checksum(claims.kind);
    return {};
}

Tried<> check_claims(const Claims& claims, std::string_view body) {
    if (!claims.md5.empty()) {
        auto md5 = crypto::hash_of(crypto::Hash::md5, body);
        if (md5 != claims.md5)
            return bad_digest(crypto::base64_encode(claims.md5), crypto::base64_encode(md5));
    }
    if (!claims.checksum.empty()) {
        ChecksumSum sum(claims.kind);
        sum.update(body);
        if (sum.finish() != claims.checksum) return wrong_checksum(claims.kind);
    }
    return {};
}

}  // namespace integreat::s3
