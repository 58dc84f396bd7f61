// SPDX-License-Identifier: Apache-2.0
// Guessing passwords is slowed down per account and per client. An attempt is counted before the password is
// checked, so that a thousand at once do not all pass.
#include "cloud/firebase/operations/operations.h"

namespace integreat::firebase {

namespace {

std::string account_key(const Project& project, std::string_view email) {
    return project.id.text + ' ' + std::string(email);
}

SignInAttempts::Window& window_of(SignInAttempts& attempts, const std::string& key, Time now) {
    if (attempts.windows.size() >= failure_windows_max && !attempts.windows.contains(key)) {
        std::erase_if(attempts.windows,
                      [&](const auto& entry) { return now - entry.second.began >= failure_window; });
        if (attempts.windows.size() >= failure_windows_max) attempts.windows.erase(attempts.windows.begin());
    }
    auto [entry, is_new] =
        attempts.windows.try_emplace(key, SignInAttempts::Window{.count = 0, .began = now});
    if (now - entry->second.began >= failure_window) entry->second = {.count = 0, .began = now};
    return entry->second;
}

}  // namespace

Result<> count_attempt(Auth& auth, const Project& project, std::string_view email, std::string_view address) {
    auto now = auth.clock.now();
    auto attempts = auth.attempts.lock();
    auto& of_address = window_of(*attempts, std::string(address), now);
    if (of_address.count >= failures_per_address_max) {
        return refusal(
            "TOO_MANY_ATTEMPTS_TRY_LATER : Too many failed sign-ins from this address. Try again later.");
    }
    ++of_address.count;
    auto& of_account = window_of(*attempts, account_key(project, email), now);
    if (of_account.count >= failures_per_email_max) {
        return refusal(
            "TOO_MANY_ATTEMPTS_TRY_LATER : Access to this account has been temporarily disabled due to many "
            "failed"
            " login attempts. You can immediately restore it by resetting your password or you can try again "
            "later.");
    }
    ++of_account.count;
    return {};
}

void forgive_attempts(Auth& auth, const Project& project, std::string_view email, std::string_view address) {
    auto attempts = auth.attempts.lock();
    attempts->windows.erase(account_key(project, email));
    auto of_address = attempts->windows.find(std::string(address));
    if (of_address != attempts->windows.end() && of_address->second.count > 0) --of_address->second.count;
}

}  // namespace integreat::firebase
