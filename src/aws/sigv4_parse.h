// SPDX-License-Identifier: Apache-2.0
// Parses client input into a SigV4Claim. Every length is bounded by the transport's limit of the request
// head.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "aws/sigv4.h"

namespace integreat::aws {

// The first alternative: the request is not signed.
using SigV4ParseResult = std::variant<std::monostate, SigV4Claim, SigV4Error>;
SigV4ParseResult parse_sigv4(const SigV4Request& request);

// Parses "KEY/20261122/us-east-1/s3/aws4_request"; also used for signatures in form fields.
std::optional<SigV4Error> parse_sigv4_credential(std::string_view credential, SigV4Claim& claim);

}  // namespace integreat::aws
