// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/rsa.h"

namespace integreat::crypto {

// Returns one RSA key for all tests of the process: generating one takes tens of milliseconds.
inline const RsaPrivateKey& test_rsa_key() {
    static const RsaPrivateKey key = *RsaPrivateKey::generate();
    return key;
}

}  // namespace integreat::crypto
