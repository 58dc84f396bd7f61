// SPDX-License-Identifier: Apache-2.0
// An AWS error: the code that SDKs turn into an exception's name, AWS's documented message, and the HTTP
// status. protocol.cpp renders it into the envelope of the protocol (XML, JSON).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace integreat::cloud {

struct AwsError {
    int status = 400;
    std::string code;     // "AccessDenied", "NotAuthorizedException"
    std::string message;  // The sentence that AWS sends.
    // Further elements of S3's <Error>: {"BucketName", "a-bucket"}. Resource, RequestId and HostId are added.
    std::vector<std::pair<std::string, std::string>> details = {};
    // Additional response headers: S3 describes the delete marker that hides an object.
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string cause = {};  // For the process log and `integreat why`; never sent to the client.
};

// A value of type T or an AwsError; TRY works with it.
template <class T = void>
using AwsResult = Result<T, AwsError>;

// Converts an Error: Fault::unavailable becomes 503 ServiceUnavailable, Fault::internal 500 InternalFailure
// (S3: InternalError), Fault::invalid, not_found and conflict 400 ValidationException.
AwsError to_aws_error(const Error& error);

}  // namespace integreat::cloud
