// SPDX-License-Identifier: Apache-2.0
// The body of a request to S3 and what was signed of it: nothing, its hash, or each of its chunks. Takes what
// the transport delivers and gives what the client meant to store.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "aws/chunked_body.h"
#include "cloud/aws/core/operation_context.h"
#include "crypto/hasher.h"

namespace integreat::cloud {

// What the head says of the body, as it stands in the canonical request.
std::variant<std::string, AwsError> declared_payload(const Exchange& exchange, const aws::SigV4Claim& claim);

class Payload {
public:
    // `claim` is null for an anonymous request; `signing_key` matters for signed chunks only.
    static std::variant<Payload, AwsError> expect(const Exchange& exchange, const aws::SigV4Claim* claim,
                                                  const crypto::Sha256& signing_key);

    using Sink = std::function<std::optional<AwsError>(std::string_view)>;
    std::optional<AwsError> take(std::string_view bytes, const Sink& sink);
    // After the last byte: the trailers, if all is as it was signed.
    std::variant<Parameters, AwsError> finish();

private:
    std::string declared_hash_;  // Empty: not to be verified.
    std::optional<crypto::Hasher> hasher_;
    std::optional<aws::AwsChunks> chunks_;
    std::string announced_trailers_;  // "x-amz-checksum-crc32,…", in lower case.
};

}  // namespace integreat::cloud
