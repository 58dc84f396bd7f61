// SPDX-License-Identifier: Apache-2.0
// X.509 certificates (RFC 5280), as far as key sets need them: Google publishes the keys of Firebase tokens
// as certificates, and the local key endpoint does the same. No chain is verified: the TLS connection that
// delivered the certificate authenticates it.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "crypto/rsa.h"

namespace integreat::crypto {

struct Certificate {
    RsaPublicKey key;
    Time not_before;
    Time not_after;
    std::string common_name;  // Common name of the subject; empty if it has none.
};

// Parses exactly one certificate ("BEGIN CERTIFICATE") with an RSA key that RsaPublicKey accepts.
Result<Certificate> parse_certificate(std::string_view pem);

struct CertificateRequest {
    std::string common_name;
    Time not_before;
    Time not_after;
};

// Returns a self-signed certificate with a random serial number, as PEM.
std::string make_certificate(const RsaPrivateKey& key, const CertificateRequest& request, Random& random);

}  // namespace integreat::crypto
