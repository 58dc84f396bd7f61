// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/core/aws_error.h"

namespace integreat::cloud {

AwsError to_aws_error(const Error& error) {
    switch (error.fault) {
        case Fault::unavailable:
            return {
                .status = 503, .code = "ServiceUnavailable", .message = error.message, .cause = error.cause};
        case Fault::internal:
            return {.status = 500,
                    .code = "InternalFailure",
                    .message = "The request processing has failed because of an unknown error.",
                    .cause = error.message + (error.cause.empty() ? "" : ": " + error.cause)};
        case Fault::exhausted:
            return {.status = 400,
                    .code = "LimitExceededException",
                    .message = error.message,
                    .cause = error.cause};
        case Fault::forbidden:
        case Fault::unauthenticated:
            return {.status = 403, .code = "AccessDenied", .message = error.message, .cause = error.cause};
        case Fault::invalid:
        case Fault::not_found:
        case Fault::conflict: break;
    }
    return {.status = 400, .code = "ValidationException", .message = error.message, .cause = error.cause};
}

}  // namespace integreat::cloud
