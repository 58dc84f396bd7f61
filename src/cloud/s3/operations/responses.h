// SPDX-License-Identifier: Apache-2.0
// Rendering of S3 responses: bodies, common headers, and the text formats of ETags, times and keys.
#pragma once

#include <string>
#include <string_view>

#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/protocol/xml.h"
#include "cloud/s3/store/types.h"
#include "http/message/message.h"

namespace integreat::s3 {

AwsResult<http::Response> empty_response(int status, http::Headers headers = {});
AwsResult<http::Response> xml_response(XmlWriter xml, http::Headers headers = {});

std::string quote_etag(std::string_view etag);
std::string format_iso_time(Time time);        // "2026-11-22T08:15:00.000Z"
std::string url_encode(std::string_view key);  // For encoding-type=url: slashes are not encoded.

// Adds x-amz-version-id and x-amz-delete-marker if the bucket keeps versions.
void add_version_headers(http::Headers& headers, const Version& version);
void add_checksum_headers(http::Headers& headers, const Version& version);
void add_encryption_headers(http::Headers& headers, const Pairs& stored_headers);

}  // namespace integreat::s3
