// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens in compact form (RFC 7515, RFC 7519): parsing and signing. Parsing does not verify: check
// the signature before using the claims. Each token has one spelling: canonical base64url, strict JSON,
// exactly three parts.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/result.h"
#include "crypto/rsa.h"

namespace integreat::crypto {

struct Jwt {
    std::string_view signing_input;  // "header.payload" as received (RFC 7515); a view of the token.
    boost::json::object header;
    boost::json::object payload;
    std::string signature;  // Decoded; empty for "alg": "none".
};

struct JwtLimits {
    std::size_t max_bytes = 8 * 1024;
};

// Fault::invalid with a message that names the part: `the header is not canonical base64url`. A header with
// "crit" is rejected: no extension is supported (RFC 7515 section 4.1.11). The values live in `storage`.
Result<Jwt> parse_jwt(std::string_view token, const JwtLimits& limits = {},
                      boost::json::storage_ptr storage = {});

// Returns a token signed with RS256; sets "alg", "typ" and "kid".
std::string sign_jwt(const boost::json::object& payload, const std::string& key_id, const RsaPrivateKey& key);

}  // namespace integreat::crypto
