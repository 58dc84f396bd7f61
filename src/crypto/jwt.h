// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens in compact form (RFC 7515, RFC 7519): taken apart and put together. Taking one apart proves
// nothing; whoever reads the claims verifies the signature first. There is one spelling of each token:
// canonical base64url, strict JSON, exactly three parts.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/result.h"
#include "crypto/rsa.h"

namespace integreat::crypto {

struct Jwt {
    std::string_view
        signed_text;  // Header and payload as they came, with the dot between; a view of the token.
    boost::json::object header;
    boost::json::object payload;
    std::string signature;  // Decoded; empty for "alg": "none".
};

struct JwtLimits {
    std::size_t bytes_max = 8 * 1024;
};

// Fault::invalid with a sentence that names the part: `the header is not canonical base64url`. A header with
// "crit" is refused: no extension is understood (RFC 7515 section 4.1.11). The values live in `storage`.
Result<Jwt> parse_jwt(std::string_view token, const JwtLimits& limits = {},
                      boost::json::storage_ptr storage = {});

// Signed with RS256; "alg", "typ" and "kid" are set here.
std::string sign_jwt(const boost::json::object& payload, const std::string& key_id, const RsaPrivateKey& key);

}  // namespace integreat::crypto
