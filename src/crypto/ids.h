// SPDX-License-Identifier: Apache-2.0
// Names that nobody can guess or that sort by age.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"

namespace integreat::crypto {

// `bytes` random bytes as base64url: 32 of them make a token that cannot be guessed.
std::string random_token(Random& random, std::size_t bytes);

// A ULID (https://github.com/ulid/spec): 26 characters of Crockford's base32, 48 bits of milliseconds and 80
// random bits. Later ones sort after earlier ones, to the millisecond.
std::string make_ulid(Time now, Random& random);

// The same into `to`, of which 40 bits each of `high` and `low` are the random ones.
inline constexpr std::size_t ulid_length = 26;
void write_ulid(char* to, Time now, std::uint64_t high, std::uint64_t low);

// A random UUID (RFC 4122 version 4), in lower case.
std::string make_uuid(Random& random);

}  // namespace integreat::crypto
