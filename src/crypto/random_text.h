// SPDX-License-Identifier: Apache-2.0
// Names that nobody can guess or that sort by age.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"

namespace integreat::crypto {

// `bytes` random bytes as base64url: 32 of them make a token that cannot be guessed.
std::string random_token(Random& random, std::size_t bytes);

// A ULID (https://github.com/ulid/spec): 26 characters of Crockford's base32, 48 bits of milliseconds and 80
// random bits. Later ones sort after earlier ones, to the millisecond.
std::string make_ulid(Time now, Random& random);

// "req_" and a ULID.
RequestId make_request_id(const Clock& clock, Random& random);

}  // namespace integreat::crypto
