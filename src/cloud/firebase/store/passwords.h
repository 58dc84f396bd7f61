// SPDX-License-Identifier: Apache-2.0
// Passwords are kept as scrypt (RFC 7914) with the salt and cost they were hashed with, so that the cost can
// rise without locking anybody out. Hashing takes tens of milliseconds: never inside a transaction.
#pragma once

#include "base/random.h"
#include "cloud/firebase/store/types.h"

namespace integreat::firebase {

// WEAK_PASSWORD if shorter than six characters.
Result<> check_password(std::string_view password);
Result<PasswordHash> hash_password(Random& random, std::string_view password, std::int64_t now_ms);
// Takes as long without a hash as with one, so that the time does not tell whether an account exists.
Result<bool> verify_password(std::string_view password, const std::optional<PasswordHash>& expected);

}  // namespace integreat::firebase
