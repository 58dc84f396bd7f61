// SPDX-License-Identifier: Apache-2.0
// If-Match and its like (RFC 9110 section 13), in the order that S3 documents, and Range (section 14).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/store/blob.h"
#include "http/message/headers.h"

namespace integreat::s3 {

// Is the ETag in a list of them, with or without quotes? "*" is any.
bool matches_etag(std::string_view list, std::string_view etag);
// RFC 9110 section 5.6.7, the one form that is sent today.
std::optional<Time> parse_http_date(std::string_view text);

enum class Freshness { send, not_modified };
// PreconditionFailed. `prefix` is "x-amz-copy-source-" for the source of a copy, which is never "not
// modified" but fails as well.
Tried<Freshness> check_conditions(const http::Headers& headers, const Version& version,
                                  std::string_view prefix = "");

// Nothing: the whole object, also for ranges that RFC 9110 lets a server ignore (several, or malformed ones).
Tried<std::optional<Range>> range_of(const http::Headers& headers, const Version& version);
// "bytes=0-9" of a copy: must be well-formed and inside.
Tried<Range> copy_range(std::string_view text, std::uint64_t size);

}  // namespace integreat::s3
