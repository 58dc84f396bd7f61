// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/store/passwords.h"

#include <algorithm>

#include "cloud/firebase/store/json_field_reader.h"

namespace integreat::firebase {

namespace {

constexpr crypto::ScryptCost cost{
    .log2_n = 14, .r = 8, .p = 1};  // 16 MiB, like Firebase's own variant of scrypt.
constexpr std::size_t salt_bytes = 16;

}  // namespace

Result<> check_password(std::string_view password) {
    auto starts_character = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; };
    auto characters = std::count_if(password.begin(), password.end(), starts_character);
    if (characters < static_cast<std::ptrdiff_t>(password_characters_min)) {
        return firebase_error("WEAK_PASSWORD : Password should be at least 6 characters");
    }
    if (password.size() > password_bytes_max) {
        return firebase_error(
            "PASSWORD_DOES_NOT_MEET_REQUIREMENTS : Password may contain at most 4096 characters");
    }
    return {};
}

Result<PasswordHash> hash_password(Random& random, std::string_view password, std::int64_t now_ms) {
    TRY(check_password(password));
    std::string salt(salt_bytes, '\0');
    random.fill(std::as_writable_bytes(std::span(salt)));
    auto digest = TRY(crypto::scrypt(Secret(std::string(password)), salt, cost));
    return PasswordHash{
        .hash = std::string(crypto::as_view(digest)), .salt = salt, .cost = cost, .updated_ms = now_ms};
}

Result<bool> verify_password(std::string_view password, const std::optional<PasswordHash>& expected) {
    auto salt = expected ? expected->salt : std::string(salt_bytes, '\0');
    auto digest = TRY(crypto::scrypt(Secret(std::string(password)), salt, expected ? expected->cost : cost));
    return expected && equal_in_constant_time(crypto::as_view(digest), expected->hash);
}

}  // namespace integreat::firebase
