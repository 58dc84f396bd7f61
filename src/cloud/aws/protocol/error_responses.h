// SPDX-License-Identifier: Apache-2.0
// What the front itself refuses, in the words of each protocol: S3, the query services and the JSON services
// of AWS have different codes, statuses and sentences for the same thing, and people search for all of them.
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
AwsError body_too_large(Protocol protocol, std::size_t bytes_max);
AwsError hash_mismatch(Protocol protocol, std::string_view given, std::string_view computed);
AwsError internal_failure(Protocol protocol, std::string cause);

struct Refused {
    const aws::SigV4Refusal& refusal;
    const aws::SigV4Claim* claim = nullptr;  // Null if it could not be read.
    Time now;
    std::string_view string_to_sign = {};  // Of a signature that does not match.
};
AwsError bad_signature(Protocol protocol, const Refused& refused);

AwsError bad_chunks(const aws::AwsChunksMistake& mistake);

// Names what there is.
AwsError unknown_operation(Protocol protocol, std::string_view operation, std::string_view service,
                           std::string_view known);

}  // namespace integreat::cloud
