// SPDX-License-Identifier: Apache-2.0
// Authentication of signed requests. The request head is parsed once; the signature is verified when the
// operation and, outside of S3, the body are known.
#pragma once

#include <optional>
#include <vector>

#include "aws/sigv4_parse.h"
#include "cloud/aws/core/frontend.h"
#include "cloud/aws/core/operation_context.h"

namespace integreat::cloud {

// The SigV4 parts of a request head.
struct SignedHead {
    std::vector<aws::SigV4Header> fields;  // Views into the headers of the request.
    aws::SigV4Request message;
    aws::SigV4ParseResult signature;

    const aws::SigV4Claim* claim() const { return std::get_if<aws::SigV4Claim>(&signature); }
};
// Parses the signature of a request, which must outlive the result.
SignedHead parse_signed_head(const http::Request& request);

// Verifies the signature and sets the caller of the context. `signing_key` receives the key that verifies the
// chunks of a streamed body. With enforcement off, a caller who fails authentication becomes the account
// root.
std::optional<AwsError> authenticate(OperationContext& context, const SignedHead& head,
                                     crypto::Sha256* signing_key = nullptr);

// The signature of a browser form upload (S3 POST): the form fields as received.
struct SignedForm {
    std::string algorithm;  // x-amz-algorithm
    std::string credential;
    std::string date;
    std::string security_token;  // Empty for a permanent key.
    std::string policy;          // Still Base64: the text that was signed.
    std::string signature;
};
// Verifies the signature and sets the caller of the context. S3 checks the conditions of the policy.
AwsResult<> authenticate_form(OperationContext& context, const SignedForm& form);

}  // namespace integreat::cloud
