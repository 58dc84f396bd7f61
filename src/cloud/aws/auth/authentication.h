// SPDX-License-Identifier: Apache-2.0
// From a signature to a caller. The head is read once (what the client claims); the check follows when it is
// known which operation is meant and, outside of S3, what the body is.
#pragma once

#include <optional>
#include <vector>

#include "aws/sigv4.h"
#include "cloud/aws/core/frontend.h"
#include "cloud/aws/core/operation_context.h"

namespace integreat::cloud {

struct SignedHead {
    std::vector<aws::SigV4Field> fields;  // Views of the request's.
    aws::SigV4Message message;
    aws::SigV4Reading reading;

    const aws::SigV4Claim* claim() const { return std::get_if<aws::SigV4Claim>(&reading); }
};
// The request must outlive it.
SignedHead read_signed_head(const http::Request& request);

// Sets the caller of the exchange; `signing_key` is what chunks of a streamed body are verified with.
// With enforcement off nothing is refused: who cannot be authenticated is the account's root.
std::optional<AwsError> authenticate(Exchange& exchange, const SignedHead& head,
                                     crypto::Sha256* signing_key = nullptr);

}  // namespace integreat::cloud
