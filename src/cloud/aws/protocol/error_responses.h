// SPDX-License-Identifier: Apache-2.0
// Errors of the frontend itself, as each protocol reports them: S3, the query services and the JSON services
// of AWS use different codes, statuses and messages for the same error.
#pragma once

#include <string>
#include <string_view>

#include "aws/chunked_body.h"
#include "aws/sigv4.h"
#include "base/time.h"
#include "cloud/aws/core/aws_error.h"
#include "cloud/aws/core/operation.h"

namespace integreat::cloud {

AwsError not_signed(Protocol protocol);
AwsError unknown_access_key(Protocol protocol, std::string_view access_key_id);
AwsError invalid_session_token(Protocol protocol, std::string_view token);
AwsError expired_session_token(Protocol protocol, std::string_view token);
AwsError wrong_region(Protocol protocol, const aws::SigV4Claim& claim, std::string_view expected);
AwsError wrong_service(Protocol protocol, const aws::SigV4Claim& claim, std::string_view expected);
AwsError access_denied(Protocol protocol, std::string message);
AwsError body_too_large(Protocol protocol, std::size_t max_bytes);
AwsError hash_mismatch(Protocol protocol, std::string_view given, std::string_view computed);
AwsError internal_failure(Protocol protocol, std::string cause);

// The details of a failed signature check.
struct SignatureFailure {
    const aws::SigV4Error& error;
    const aws::SigV4Claim* claim = nullptr;  // Null if it could not be parsed.
    Time now;
    std::string_view string_to_sign = {};  // Set if the signature does not match.
};
AwsError signature_error(Protocol protocol, const SignatureFailure& failure);

AwsError chunked_body_error(const aws::ChunkedBodyError& body_error);

// Returns the error for an unknown operation; its message lists the `supported` ones.
AwsError unknown_operation(Protocol protocol, std::string_view operation, std::string_view service,
                           std::string_view supported);

}  // namespace integreat::cloud
