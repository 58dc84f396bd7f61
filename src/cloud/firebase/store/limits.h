// SPDX-License-Identifier: Apache-2.0
// Limits of the local Firebase Auth, equal to those that Firebase documents:
// https://firebase.google.com/docs/auth/limits
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace integreat::firebase {

inline constexpr std::size_t request_bytes_max = 64 * 1024;
inline constexpr std::size_t batch_bytes_max = 4 * 1024 * 1024;
inline constexpr std::size_t max_token_bytes = 8 * 1024;
inline constexpr std::size_t email_bytes_max = 256;
inline constexpr std::size_t name_bytes_max = 256;
inline constexpr std::size_t url_bytes_max = 2048;
inline constexpr std::size_t uid_bytes_max = 128;
inline constexpr std::size_t claims_bytes_max = 1000;
inline constexpr std::size_t password_characters_min = 6;
inline constexpr std::size_t password_bytes_max = 4096;
inline constexpr std::size_t batch_count_max = 1000;
inline constexpr std::size_t lookup_count_max = 100;
inline constexpr std::size_t links_max = 20;  // Providers of one user.

inline constexpr std::int64_t id_token_seconds = 3600;
inline constexpr std::int64_t session_cookie_seconds_min = 5 * 60;
inline constexpr std::int64_t session_cookie_seconds_max = 14 * 24 * 3600;

inline constexpr int failures_per_email_max = 10;
inline constexpr int failures_per_address_max = 100;
inline constexpr std::size_t failure_windows_max = 10'000;
inline constexpr std::chrono::minutes failure_window{5};

}  // namespace integreat::firebase
