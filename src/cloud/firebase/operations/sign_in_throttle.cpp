// SPDX-License-Identifier: Apache-2.0
// Limits password guessing per account and per client. An attempt is counted before the password is checked,
// so that concurrent attempts do not bypass the limit.
#include "cloud/firebase/operations/operations.h"

namespace integreat::firebase {

namespace {

std::string account_key(const Project& project, std::string_view email) {
    return project.id.text + ' ' + std::string(email);
}

SignInThrottle::Window& find_window(SignInThrottle& attempts, const std::string& key, Time now) {
    if (attempts.windows.size() >= failure_windows_max && !attempts.windows.contains(key)) {
        std::erase_if(attempts.windows,
                      [&](const auto& entry) { return now - entry.second.began >= failure_window; });
        if (attempts.windows.size() >= failure_windows_max) attempts.windows.erase(attempts.windows.begin());
    }
    auto [entry, is_new] =
        attempts.windows.try_emplace(key, SignInThrottle::Window{.count = 0, .began = now});
    if (now - entry->second.began >= failure_window) entry->second = {.count = 0, .began = now};
    return entry->second;
}

}  // namespace

Result<> count_sign_in_attempt(Auth& auth, const Project& project, std::string_view email,
                               std::string_view address) {
    auto now = auth.clock.now();
    auto attempts = auth.sign_in_throttle.lock();
    auto& address_window = find_window(*attempts, std::string(address), now);
    if (address_window.count >= failures_per_address_max) {
        return firebase_error(
            "TOO_MANY_ATTEMPTS_TRY_LATER : Too many failed sign-ins from this address. Try again later.");
    }
    ++address_window.count;
    auto& account_window = find_window(*attempts, account_key(project, email), now);
    if (account_window.count >= failures_per_email_max) {
        return firebase_error(
            "TOO_MANY_ATTEMPTS_TRY_LATER : Access to this account has been temporarily disabled due to many "
            "failed"
            " login attempts. You can immediately restore it by resetting your password or you can try again "
            "later.");
    }
    ++account_window.count;
    return {};
}

void reset_sign_in_attempts(Auth& auth, const Project& project, std::string_view email,
                            std::string_view address) {
    auto attempts = auth.sign_in_throttle.lock();
    attempts->windows.erase(account_key(project, email));
    auto address_window = attempts->windows.find(std::string(address));
    if (address_window != attempts->windows.end() && address_window->second.count > 0)
        --address_window->second.count;
}

}  // namespace integreat::firebase
