// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/errors.h"

#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

AwsError to_aws_error(const Error& error) {
    switch (error.fault) {
        case Fault::unavailable:
            return {.status = 503,
                    .code = "ServiceUnavailable",
                    .message = "Service is unable to handle request.",
                    .cause = error.message + ": " + error.cause};
        case Fault::exhausted:
            return {
                .status = 503, .code = "ServiceUnavailable", .message = error.message, .cause = error.cause};
        case Fault::not_found:
            return {.status = 404,
                    .code = "NoSuchBucket",
                    .message = "The specified bucket does not exist",
                    .cause = error.message};
        case Fault::invalid:
            return {.status = 400, .code = "InvalidArgument", .message = error.message, .cause = error.cause};
        case Fault::conflict:
            return {.status = 409,
                    .code = "OperationAborted",
                    .message =
                        "A conflicting conditional operation is currently in progress against this "
                        "resource. Please try again.",
                    .cause = error.message + ": " + error.cause};
        default: break;
    }
    return {.status = 500,
            .code = "InternalError",
            .message = "We encountered an internal error. Please try again.",
            .cause = error.message + ": " + error.cause};
}

AwsError no_such_bucket(std::string_view bucket) {
    return {.status = 404,
            .code = "NoSuchBucket",
            .message = "The specified bucket does not exist",
            .details = {{"BucketName", std::string(bucket)}}};
}

AwsError no_such_key(std::string_view key) {
    return {.status = 404,
            .code = "NoSuchKey",
            .message = "The specified key does not exist.",
            .details = {{"Key", std::string(key)}}};
}

AwsError no_such_version(std::string_view key, std::string_view version) {
    return {.status = 404,
            .code = "NoSuchVersion",
            .message = "The specified version does not exist.",
            .details = {{"Key", std::string(key)}, {"VersionId", std::string(version)}}};
}

AwsError no_such_upload(std::string_view upload_id) {
    return {.status = 404,
            .code = "NoSuchUpload",
            .message =
                "The specified upload does not exist. The upload ID may be invalid, or the upload may "
                "have been aborted or completed.",
            .details = {{"UploadId", std::string(upload_id)}}};
}

AwsError malformed_xml() {
    return {.status = 400,
            .code = "MalformedXML",
            .message =
                "The XML you provided was not well-formed or did not validate against our published "
                "schema"};
}

AwsError invalid_argument(std::string message, std::string_view name, std::string_view value) {
    return {.status = 400,
            .code = "InvalidArgument",
            .message = std::move(message),
            .details = {{"ArgumentName", std::string(name)}, {"ArgumentValue", std::string(value)}}};
}

AwsError invalid_request(std::string message) {
    return {.status = 400, .code = "InvalidRequest", .message = std::move(message)};
}

AwsError precondition_failed(std::string_view condition) {
    return {.status = 412,
            .code = "PreconditionFailed",
            .message = "At least one of the pre-conditions you specified did not hold",
            .details = {{"Condition", std::string(condition)}}};
}

AwsError access_denied(std::string cause) {
    return {.status = 403, .code = "AccessDenied", .message = "Access Denied", .cause = std::move(cause)};
}

AwsError invalid_digest() {
    return {.status = 400, .code = "InvalidDigest", .message = "The Content-MD5 you specified was invalid."};
}

AwsError bad_digest(std::string_view expected, std::string_view calculated) {
    return {.status = 400,
            .code = "BadDigest",
            .message = "The Content-MD5 you specified did not match what we received.",
            .details = {{"ExpectedDigest", std::string(expected)},
                        {"CalculatedDigest", std::string(calculated)}}};
}

AwsError entity_too_large(std::uint64_t proposed, std::uint64_t allowed) {
    return {
        .status = 400,
        .code = "EntityTooLarge",
        .message = "Your proposed upload exceeds the maximum allowed size",
        .details = {{"ProposedSize", std::to_string(proposed)}, {"MaxSizeAllowed", std::to_string(allowed)}}};
}

AwsError method_not_allowed(std::string_view method, std::string_view resource_type) {
    return {.status = 405,
            .code = "MethodNotAllowed",
            .message = "The specified method is not allowed against this resource.",
            .details = {{"Method", std::string(method)}, {"ResourceType", std::string(resource_type)}}};
}

AwsError not_implemented(std::string_view feature) {
    return {.status = 501,
            .code = "NotImplemented",
            .message = "A header or query you provided implies functionality that is not implemented: " +
                       std::string(feature)};
}

AwsError invalid_tag(std::string message) {
    return {.status = 400, .code = "InvalidTag", .message = std::move(message)};
}

AwsError key_too_long(std::size_t size) {
    return {.status = 400,
            .code = "KeyTooLongError",
            .message = "Your key is too long",
            .details = {{"Size", std::to_string(size)}, {"MaxSizeAllowed", std::to_string(key_bytes_max)}}};
}

}  // namespace integreat::s3
