// SPDX-License-Identifier: Apache-2.0
// A set of public keys in a format that Google publishes: a JSON map of key ID to X.509 certificate, or a
// JSON Web Key Set (RFC 7517). Immutable; RemoteJwks replaces it after each fetch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/rsa.h"
#include "http/message/message.h"

namespace integreat::identity {

inline constexpr std::size_t max_key_id_bytes = 128;

struct SigningKey {
    std::string id;
    crypto::RsaPublicKey key;
    Time not_after = Time::max();  // Expiry of the certificate; a JWK has none.

    friend bool operator==(const SigningKey&, const SigningKey&) = default;
};

struct SigningKeys {
    std::vector<SigningKey> all;        // Sorted by ID.
    std::vector<std::string> unusable;  // Ignored entries: "kid: reason".

    const SigningKey* find(std::string_view id) const;
};

// Parses a response. Ignores entries that are not RSA signing keys; Fault::unavailable if no usable key
// remains.
Result<SigningKeys> parse_signing_keys(std::string_view body);

// Returns max-age of Cache-Control minus Age (RFC 9111 sections 4.2.1 and 4.2.3), or nothing without max-age.
std::optional<std::chrono::seconds> freshness_lifetime(const http::Headers& headers);

}  // namespace integreat::identity
