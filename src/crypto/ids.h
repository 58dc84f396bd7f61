// SPDX-License-Identifier: Apache-2.0
// Random identifiers: unguessable tokens, ULIDs that sort by creation time, UUIDs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"

namespace integreat::crypto {

// Returns `bytes` random bytes as base64url; 32 bytes make an unguessable token.
std::string random_token(Random& random, std::size_t bytes);

// Returns a ULID (https://github.com/ulid/spec): 26 characters of Crockford's base32, 48 bits of milliseconds
// and 80 random bits. They sort by time, to the millisecond.
std::string make_ulid(Time now, Random& random);

// Writes a ULID to `to`; the random bits are 40 bits each of `high` and `low`.
inline constexpr std::size_t ulid_length = 26;
void write_ulid(char* to, Time now, std::uint64_t high, std::uint64_t low);

// Returns a random UUID (RFC 4122 version 4), in lower case.
std::string make_uuid(Random& random);

}  // namespace integreat::crypto
