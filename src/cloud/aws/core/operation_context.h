// SPDX-License-Identifier: Apache-2.0
// The context of one request to the local cloud: the caller, the decoded request, and the permission checks
// made so far.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cloud/aws/core/aws_error.h"
#include "cloud/aws/core/caller.h"
#include "http/message/message.h"
#include "http/routing/request_context.h"

namespace integreat::cloud {

struct Api;
struct AwsFrontend;
struct Operation;

using Parameters = std::vector<std::pair<std::string, std::string>>;

// The result of one permission check, for the log and `integreat why`.
struct AuthorizationResult {
    bool allowed = false;
    std::string action;
    std::string resource;
    std::string reason;  // "denied by statement 2 (NoDeletes) of bucket policy a-bucket"
};

struct OperationContext {
    const AwsFrontend& frontend;
    const http::Request& request;
    http::RequestContext& http_context;  // Its id is the request id that AWS clients print.
    const Api* api = nullptr;
    const Operation* operation = nullptr;
    Caller caller = {};
    std::string region = {};  // Region of the credential scope; empty if the request is not signed.
    // Decoded query parameters in their order; those of the form for the query protocol.
    Parameters query = {};

    // S3 only: from the path or the host name ("bucket.localhost"), decoded. Empty if the request names none.
    std::string bucket = {};
    std::string key = {};

    std::string_view body = {};  // Complete and decoded, for operations that do not stream it.
    std::vector<AuthorizationResult> authorizations = {};  // In the order of the checks.
    // The part of the authentication that failed: "the signed header x-amz-date"
    std::string failed_part = {};

    // Returns the first value of a query parameter, or nothing if it is absent ("?acl" is present and empty).
    std::optional<std::string_view> parameter(std::string_view name) const;
};

// The result of an operation. net/ adds Date and Content-Length; the frontend adds the request id and the
// CORS headers.
using OperationResult = std::variant<http::Response, AwsError>;

}  // namespace integreat::cloud
