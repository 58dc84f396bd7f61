// SPDX-License-Identifier: Apache-2.0
// Conditional requests (RFC 9110 section 13), evaluated in the order that S3 documents, and ranges (section
// 14).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/store/blob.h"
#include "http/message/headers.h"

namespace integreat::s3 {

// Returns whether an ETag is in a list, with or without quotes; "*" matches any ETag.
bool matches_etag(std::string_view list, std::string_view etag);
// Parses an HTTP date in the preferred form of RFC 9110 section 5.6.7.
std::optional<Time> parse_http_date(std::string_view text);

enum class Freshness { send, not_modified };
// Evaluates the conditions; PreconditionFailed. `prefix` is "x-amz-copy-source-" for the source of a copy,
// which fails instead of being "not modified".
AwsResult<Freshness> check_conditions(const http::Headers& headers, const Version& version,
                                      std::string_view prefix = "");

// Returns the requested range; nothing means the whole object, also for ranges that RFC 9110 allows a server
// to ignore (multiple or malformed ones).
AwsResult<std::optional<Range>> resolve_range(const http::Headers& headers, const Version& version);
// Parses the range of a copy, "bytes=0-9"; it must be well-formed and within the object.
AwsResult<Range> parse_copy_range(std::string_view text, std::uint64_t size);

}  // namespace integreat::s3
