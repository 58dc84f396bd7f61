// SPDX-License-Identifier: Apache-2.0
// A refusal in AWS's words: the code that SDKs turn into an exception's name, the message that people search
// for, and the status. The protocol's envelope (XML, JSON) is put around it in one place, protocol.cpp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace integreat::cloud {

struct AwsError {
    int status = 400;
    std::string code;     // "AccessDenied", "NotAuthorizedException"
    std::string message;  // AWS's own sentence.
    // Further elements of S3's <Error>: {"BucketName", "a-bucket"}. Resource, RequestId and HostId are added.
    std::vector<std::pair<std::string, std::string>> details = {};
    // Of the answer: what S3 says about a delete marker that is in the way.
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string cause = {};  // For our log and `integreat why` only.
};

// What was not foreseen: a database that does not answer (503 ServiceUnavailable), a bug of ours (500
// InternalFailure; S3 says InternalError). Fault::invalid and its like become 400 ValidationException.
AwsError from_error(const Error& error);

}  // namespace integreat::cloud
