// SPDX-License-Identifier: Apache-2.0
// The body of an S3 request: decodes aws-chunked coding and verifies what the signature covers: nothing, the
// hash of the body, or every chunk.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "aws/chunked_body.h"
#include "cloud/aws/core/operation_context.h"
#include "crypto/hash.h"

namespace integreat::cloud {

// Returns the payload hash for the canonical request, from x-amz-content-sha256 or its query parameter.
std::variant<std::string, AwsError> parse_declared_payload(const OperationContext& context,
                                                           const aws::SigV4Claim& claim);

class Payload {
public:
    // `claim` is null for an anonymous request; `signing_key` is used for signed chunks only.
    static std::variant<Payload, AwsError> make(const OperationContext& context, const aws::SigV4Claim* claim,
                                                const crypto::Sha256& signing_key);

    using Sink = std::function<std::optional<AwsError>(std::string_view)>;
    // Decodes received bytes and passes the decoded ones to `sink`.
    std::optional<AwsError> update(std::string_view bytes, const Sink& sink);
    // Called after the last byte: returns the trailers if the body matches its signature.
    std::variant<Parameters, AwsError> finish();

private:
    std::string declared_hash_;  // Hexadecimal SHA-256; empty if the hash is not verified.
    std::optional<crypto::Hasher> hasher_;
    std::optional<aws::ChunkedBodyDecoder> chunks_;
    std::string announced_trailers_;  // Names in lower case: "x-amz-checksum-crc32,…"
};

}  // namespace integreat::cloud
