// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/request_parameters.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text/ascii.h"
#include "base/text/utf8.h"
#include "cloud/s3/store/limits.h"
#include "http/routing/target.h"

namespace integreat::s3 {

namespace {

constexpr std::array<std::string_view, 7> stored_header_names{"content-type",
                                                              "cache-control",
                                                              "content-disposition",
                                                              "content-encoding",
                                                              "content-language",
                                                              "expires",
                                                              "x-amz-website-redirect-location"};

constexpr std::array<std::string_view, 6> storage_classes{
    "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR", "INTELLIGENT_TIERING"};

// Removes the transfer coding, which is not part of the object: "aws-chunked,gzip" → "gzip".
std::string without_aws_chunked(std::string_view encoding) {
    std::string encodings;
    while (!encoding.empty()) {
        auto comma = std::min(encoding.find(','), encoding.size());
        auto encoding_name = encoding.substr(0, comma);
        encoding.remove_prefix(std::min(comma + 1, encoding.size()));
        while (encoding_name.starts_with(' '))
            encoding_name.remove_prefix(1);
        while (encoding_name.ends_with(' '))
            encoding_name.remove_suffix(1);
        if (encoding_name.empty() || iequals(encoding_name, "aws-chunked")) continue;
        (encodings += encodings.empty() ? "" : ",") += encoding_name;
    }
    return encodings;
}

AwsResult<> parse_encryption(const http::Headers& headers, Pairs& stored) {
    auto algorithm = headers.get("x-amz-server-side-encryption");
    if (!algorithm) {
        stored.emplace_back("x-amz-server-side-encryption", "AES256");
        return {};
    }
    if (*algorithm != "AES256" && *algorithm != "aws:kms" && *algorithm != "aws:kms:dsse") {
        return invalid_argument("The encryption method specified is not supported",
                                "x-amz-server-side-encryption", *algorithm);
    }
    stored.emplace_back("x-amz-server-side-encryption", *algorithm);
    if (auto key = headers.get("x-amz-server-side-encryption-aws-kms-key-id"))
        stored.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", *key);
    return {};
}

std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Allows letters, digits and spaces of any language, and + - = . _ : / @
bool has_only_tag_characters(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        auto byte = static_cast<unsigned char>(c);
        return byte >= 0x80 || std::isalnum(byte) ||
               std::string_view(" +-=._:/@").find(c) != std::string_view::npos;
    });
}

}  // namespace

AwsResult<> check_key(std::string_view key) {
    if (key.size() > key_bytes_max) return key_too_long(key.size());
    if (find_invalid_utf8(key)) return invalid_argument("The key must be valid UTF-8", "Key", "(not UTF-8)");
    return {};
}

AwsResult<RequestedVersion> parse_version(const OperationContext& context) {
    auto version = context.parameter("versionId");
    if (version && version->empty())
        return invalid_argument("Version id cannot be the empty string", "versionId", "");
    return RequestedVersion(version);
}

AwsResult<int> parse_int_parameter(const OperationContext& context, std::string_view name, int default_value,
                                   int max) {
    auto text = context.parameter(name);
    if (!text || text->empty()) return default_value;
    int number = 0;
    auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (failure == std::errc::result_out_of_range || number < 0) {
        return invalid_argument(
            "Argument " + std::string(name) + " must be an integer between 0 and 2147483647", name, *text);
    }
    if (failure != std::errc() || end != text->data() + text->size())
        return invalid_argument("Provided " + std::string(name) + " not an integer or within integer range",
                                name, *text);
    return std::min(number, max);
}

AwsResult<Pairs> parse_stored_headers(const http::Headers& headers) {
    Pairs stored;
    std::size_t metadata_bytes = 0;
    for (auto [name, value] : headers) {
        auto lower_name = to_lower(name);
        bool metadata = lower_name.starts_with("x-amz-meta-");
        if (!metadata && std::find(stored_header_names.begin(), stored_header_names.end(), lower_name) ==
                             stored_header_names.end())
            continue;
        if (metadata)
            metadata_bytes += lower_name.size() - std::string_view("x-amz-meta-").size() + value.size();
        // Form fields may contain any byte, but these values become headers of every response.
        if (std::any_of(value.begin(), value.end(),
                        [](char c) { return c == '\r' || c == '\n' || c == '\0'; }))
            return invalid_argument("The header value has control characters", lower_name, "");
        if (!metadata && value.size() > header_value_bytes_max)
            return invalid_argument(
                "The header is longer than " + std::to_string(header_value_bytes_max) + " bytes", lower_name,
                value.substr(0, 64));
        if (lower_name == "content-encoding") {
            if (auto encoding = without_aws_chunked(value); !encoding.empty())
                stored.emplace_back(lower_name, encoding);
            continue;
        }
        stored.emplace_back(std::move(lower_name), value);
    }
    if (metadata_bytes > metadata_bytes_max) {
        return AwsError{.status = 400,
                        .code = "MetadataTooLarge",
                        .message = "Your metadata headers exceed the maximum allowed metadata size",
                        .details = {{"Size", std::to_string(metadata_bytes)},
                                    {"MaxSizeAllowed", std::to_string(metadata_bytes_max)}}};
    }
    TRY(parse_encryption(headers, stored));
    return stored;
}

AwsResult<std::string> parse_storage_class(const http::Headers& headers) {
    auto storage_class = headers.get("x-amz-storage-class").value_or("STANDARD");
    if (std::find(storage_classes.begin(), storage_classes.end(), storage_class) == storage_classes.end()) {
        return AwsError{.status = 400,
                        .code = "InvalidStorageClass",
                        .message = "The storage class you specified is not valid",
                        .details = {{"StorageClassRequested", std::string(storage_class)}}};
    }
    return std::string(storage_class);
}

AwsResult<> reject_unsupported_headers(const http::Headers& headers) {
    for (auto [name, value] : headers) {
        auto lower_name = to_lower(name);
        if (lower_name.starts_with("x-amz-object-lock-"))
            return invalid_request("Bucket is missing Object Lock Configuration");
        if (lower_name.starts_with("x-amz-server-side-encryption-customer-"))
            return not_implemented("encryption with keys of the customer");
        bool own = value == "private" || value == "bucket-owner-full-control";
        if (lower_name.starts_with("x-amz-grant-") || (lower_name == "x-amz-acl" && !own)) {
            return AwsError{.status = 400,
                            .code = "AccessControlListNotSupported",
                            .message = "The bucket does not allow ACLs"};
        }
    }
    return {};
}

AwsResult<Pairs> parse_tagging_header(const http::Headers& headers) {
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

AwsResult<> check_tags(const Pairs& tags, std::size_t count_max) {
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
        bool valid = !find_invalid_utf8(key) && !find_invalid_utf8(value);
        if (key.empty() || !valid || count_characters(key) > tag_key_characters_max ||
            !has_only_tag_characters(key))
            return invalid_tag("The TagKey you have provided is invalid");
        if (count_characters(value) > tag_value_characters_max || !has_only_tag_characters(value))
            return invalid_tag("The TagValue you have provided is invalid");
        if (to_lower(key).starts_with("aws:"))
            return invalid_tag("System tags cannot be added/updated by requester");
        auto same = [&key](const auto& other) { return other.first == key; };
        if (std::find_if(tags.begin(), tag, same) != tag)
            return invalid_tag("Cannot provide multiple Tags with the same key");
    }
    return {};
}

}  // namespace integreat::s3
