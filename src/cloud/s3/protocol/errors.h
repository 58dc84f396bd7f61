// SPDX-License-Identifier: Apache-2.0
// Errors of S3, with AWS's codes and messages:
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/result.h"
#include "cloud/aws/core/aws_error.h"

namespace integreat::s3 {

using cloud::AwsError;
using cloud::AwsResult;

// Converts an Error into an AwsError with S3's codes.
AwsError to_aws_error(const Error& error);

// Converts the error of a Result, for TRY in functions that return an AwsResult.
template <class T>
AwsResult<T> to_aws_result(Result<T> result) {
    if (!result) return to_aws_error(result.error());
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return *std::move(result);
    }
}

AwsError no_such_bucket(std::string_view bucket);
AwsError no_such_key(std::string_view key);
AwsError no_such_version(std::string_view key, std::string_view version);
AwsError no_such_upload(std::string_view upload_id);
AwsError malformed_xml();
AwsError invalid_argument(std::string message, std::string_view name, std::string_view value);
AwsError invalid_request(std::string message);
AwsError precondition_failed(std::string_view condition);
AwsError access_denied(std::string cause);
AwsError invalid_digest();
AwsError bad_digest(std::string_view expected, std::string_view calculated);
AwsError entity_too_large(std::uint64_t proposed, std::uint64_t allowed);
AwsError method_not_allowed(std::string_view method, std::string_view resource_type);
AwsError not_implemented(std::string_view feature);
AwsError invalid_tag(std::string message);
AwsError key_too_long(std::size_t size);

}  // namespace integreat::s3
