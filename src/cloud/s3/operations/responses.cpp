// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/responses.h"

#include <cstdio>

#include "cloud/s3/protocol/checksums.h"
#include "http/routing/target.h"

namespace integreat::s3 {

AwsResult<http::Response> empty_response(int status, http::Headers headers) {
    return http::Response(http::FullResponse{.status = status, .headers = std::move(headers), .body = {}});
}

AwsResult<http::Response> xml_response(XmlWriter xml, http::Headers headers) {
    headers.set("Content-Type", "application/xml");
    return http::Response(
        http::FullResponse{.status = 200, .headers = std::move(headers), .body = std::move(xml).finish()});
}

std::string quote_etag(std::string_view etag) {
    return "\"" + std::string(etag) + "\"";
}

std::string format_iso_time(Time time) {
    auto text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
    auto millis =
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
    text.pop_back();
    char fraction[8];
    std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(millis));
    return text + fraction;
}

std::string url_encode(std::string_view key) {
    std::string encoded;
    while (true) {
        auto slash = key.find('/');
        encoded += http::percent_encode(key.substr(0, slash));
        if (slash == std::string_view::npos) return encoded;
        encoded += '/';
        key.remove_prefix(slash + 1);
    }
}

void add_version_headers(http::Headers& headers, const Version& version) {
    if (!version.version.empty()) headers.set("x-amz-version-id", version.version);
    if (version.marker) headers.set("x-amz-delete-marker", "true");
}

void add_checksum_headers(http::Headers& headers, const Version& version) {
    if (version.checksum.kind == ChecksumKind::none || version.checksum.text.empty()) return;
    headers.set(checksum_header(version.checksum.kind),
                format_checksum(version.checksum, version.part_count));
    headers.set("x-amz-checksum-type", version.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
}

void add_encryption_headers(http::Headers& headers, const Pairs& stored_headers) {
    for (const auto& [name, value] : stored_headers) {
        if (name.starts_with("x-amz-server-side-encryption")) headers.set(name, value);
    }
}

}  // namespace integreat::s3
