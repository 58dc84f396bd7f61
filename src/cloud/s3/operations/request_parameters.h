// SPDX-License-Identifier: Apache-2.0
// Parsing and validation of S3 request parameters and headers.
#pragma once

#include <string>
#include <string_view>

#include "cloud/aws/core/operation_context.h"
#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/store/queries.h"

namespace integreat::s3 {

using cloud::OperationContext;

// Checks an object key; KeyTooLongError, or InvalidArgument if it is not UTF-8.
AwsResult<> check_key(std::string_view key);
// Returns ?versionId=; InvalidArgument if it is present and empty.
AwsResult<RequestedVersion> parse_version(const OperationContext& context);
// Returns a non-negative number of at most `max`, or `default_value` if it is absent; InvalidArgument.
AwsResult<int> parse_int_parameter(const OperationContext& context, std::string_view name, int default_value,
                                   int max);

// Returns the headers stored with an object, such as Content-Type and x-amz-meta-*; MetadataTooLarge,
// InvalidArgument.
AwsResult<Pairs> parse_stored_headers(const http::Headers& headers);
AwsResult<std::string> parse_storage_class(const http::Headers& headers);
// Returns an error for headers of unsupported features, which must not be ignored: ACLs, object lock,
// encryption with customer keys.
AwsResult<> reject_unsupported_headers(const http::Headers& headers);
// Parses x-amz-tagging: "a=1&b=2".
AwsResult<Pairs> parse_tagging_header(const http::Headers& headers);
// Checks the number, lengths, characters and uniqueness of tags; InvalidTag, BadRequest.
AwsResult<> check_tags(const Pairs& tags, std::size_t count_max);

}  // namespace integreat::s3
