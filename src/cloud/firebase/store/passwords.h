// SPDX-License-Identifier: Apache-2.0
// Password hashing with scrypt (RFC 7914). Salt and cost are stored with the hash, so the cost can be raised
// for new passwords. Hashing takes tens of milliseconds and must not run inside a transaction.
#pragma once

#include "base/random.h"
#include "cloud/firebase/store/types.h"

namespace integreat::firebase {

// Returns WEAK_PASSWORD if the password has fewer than six characters.
Result<> check_password(std::string_view password);
Result<PasswordHash> hash_password(Random& random, std::string_view password, std::int64_t now_ms);
// Verifies a password. Takes equally long without a hash, so the time does not reveal whether an account
// exists.
Result<bool> verify_password(std::string_view password, const std::optional<PasswordHash>& expected);

}  // namespace integreat::firebase
