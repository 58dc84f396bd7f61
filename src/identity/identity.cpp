// SPDX-License-Identifier: Apache-2.0
#include "identity/identity.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text/ascii.h"
#include "http/message/headers.h"
#include "identity/api_keys/api_key_format.h"
#include "identity/api_keys/api_keys.h"
#include "identity/tokens/remote_jwks.h"
#include "identity/tokens/token_cache.h"

namespace integreat::identity {

namespace {

using PrincipalPointer = std::shared_ptr<const Principal>;

// Returns the token after the scheme and one or more spaces (RFC 6750 section 2.1).
std::optional<std::string_view> parse_bearer(std::string_view authorization) {
    constexpr std::string_view scheme = "Bearer";
    if (!iequals(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
    auto rest = authorization.substr(scheme.size());
    auto start = rest.find_first_not_of(' ');
    if (start == 0 || start == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(start);
    return rest;
}

bool is_single_token(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char byte) {
        return byte > 0x20 && byte < 0x7F && byte != ',' && byte != '"' && byte != ';';
    });
}

AuthFailure malformed_header(std::string_view authorization) {
    // Logs only the scheme: the credentials may be a password.
    auto scheme = authorization.substr(0, std::min(authorization.find(' '), std::size_t(16)));
    return {
        .type = http::ProblemType::authorization_malformed,
        .detail =
            "Send \"Authorization: Bearer TOKEN\" with one Firebase ID token or API key, or omit the header.",
        .rule = "the header must be the scheme Bearer, a space and one token",
        .facts = {{"scheme", sanitize_for_log(scheme)}, {"bytes", std::to_string(authorization.size())}}};
}

AuthFailure unknown_key(const std::string& key_id, const RemoteJwksStatus& status) {
    auto known = join(status.key_ids, ", ");
    return {.type = http::ProblemType::token_unknown_key,
            .detail = "Sign in again to get a token with a current key.",
            .rule = "the header's kid must be in the key set",
            .facts = {{"kid", sanitize_for_log(key_id)}, {"known", sanitize_for_log(known)}}};
}

}  // namespace

Identity::Identity(RemoteJwks& keys, ApiKeys& api_keys, const Clock& clock, const IdentityLimits& limits)
    : keys_(keys),
      api_keys_(api_keys),
      clock_(clock),
      limits_(limits),
      cache_(std::make_unique<TokenCache>(limits.max_cached_tokens)) {}

Identity::~Identity() = default;

AuthResult Identity::identify(std::string_view authorization, const Projects& projects, bool may_block,
                              Monotonic deadline) {
    if (authorization.empty()) return PrincipalPointer();
    auto token = parse_bearer(authorization);
    if (!token) return malformed_header(authorization);
    // A cached token has passed every check, including the next one, so its bytes are not checked again.
    if (auto principal = find_cached(*token, projects)) return principal;
    if (!is_single_token(*token)) return malformed_header(authorization);
    if (is_api_key_text(*token)) return api_keys_.identify(*token, may_block, deadline);
    return authenticate_user(*token, projects, may_block, deadline);
}

AuthResult Identity::authenticate_user(std::string_view token, const Projects& projects, bool may_block,
                                       Monotonic deadline) {
    auto first = verify(token, projects);
    if (auto* result = std::get_if<AuthResult>(&first)) return std::move(*result);
    auto refresh = keys_.refresh_for_kid(may_block, deadline);
    if (refresh == RemoteJwks::RefreshResult::would_block) return WouldBlock{};
    if (refresh == RemoteJwks::RefreshResult::refreshed) {
        auto second = verify(token, projects);
        if (auto* result = std::get_if<AuthResult>(&second)) return std::move(*result);
    }
    if (refresh == RemoteJwks::RefreshResult::overloaded || keys_.generation() == 0) return unavailable();
    return unknown_key(std::get<UnknownKey>(first).key_id, keys_.status());
}

PrincipalPointer Identity::find_cached(std::string_view token, const Projects& projects) {
    TokenCacheVersion version{.keys = keys_.generation(), .projects = projects.generation};
    return version.keys == 0 ? nullptr : cache_->find(token, version, clock_.now());
}

std::variant<AuthResult, UnknownKey> Identity::verify(std::string_view token, const Projects& projects) {
    static const SigningKeys no_keys;
    auto now = clock_.now();
    // Read before the keys: if they change in between, the cached token counts as verified with the older
    // ones.
    TokenCacheVersion version{.keys = keys_.generation(), .projects = projects.generation};
    auto keys = keys_.current();
    auto result = verify_firebase_token(token, keys ? *keys : no_keys, projects, limits_.token, now);
    if (auto* unknown = std::get_if<UnknownKey>(&result)) return std::move(*unknown);
    if (auto* failure = std::get_if<AuthFailure>(&result)) return std::move(*failure);
    auto principal = std::get<PrincipalPointer>(std::move(result));
    cache_->insert(token, version, now, principal);
    return principal;
}

AuthFailure Identity::unavailable() const {
    auto status = keys_.status();
    return {.type = http::ProblemType::identity_unavailable,
            .detail = "The keys that verify tokens cannot be fetched; try again in a moment.",
            .rule = "the key set must have been fetched: " + keys_.settings().url,
            .facts = {{"last_error", sanitize_for_log(status.last_error)},
                      {"fetches", std::to_string(status.fetches)},
                      {"failures", std::to_string(status.failures)}}};
}

}  // namespace integreat::identity
