// SPDX-License-Identifier: Apache-2.0
// The public keys at one URL at one moment, as Google publishes them: a JSON map of key id to X.509
// certificate, or a JSON Web Key Set (RFC 7517). Immutable; KeySet swaps one for the next.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/rsa.h"
#include "http/message/message.h"

namespace integreat::identity {

struct SigningKey {
    std::string id;
    crypto::RsaPublicKey key;
    Time not_after = Time::max();  // Of the certificate; a JWK has no end.

    friend bool operator==(const SigningKey&, const SigningKey&) = default;
};

struct SigningKeys {
    std::vector<SigningKey> all;        // By id.
    std::vector<std::string> unusable;  // "kid: why", of entries that were left out.

    const SigningKey* find(std::string_view id) const;
};

// Entries that are no RSA signing keys are left out; an answer without any usable one is Fault::unavailable.
Result<SigningKeys> parse_signing_keys(std::string_view body);

// How long the answer may be kept: max-age of Cache-Control less Age (RFC 9111 sections 4.2.1 and 4.2.3), or
// nothing if it does not say.
std::optional<std::chrono::seconds> lifetime_of(const http::Headers& headers);

}  // namespace integreat::identity
