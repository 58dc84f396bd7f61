// SPDX-License-Identifier: Apache-2.0
#include "identity/identity.h"

#include <algorithm>

#include <fmt/format.h>

#include "http/message/headers.h"
#include "identity/api_keys/api_key_format.h"
#include "identity/api_keys/api_keys.h"
#include "identity/tokens/remote_jwks.h"
#include "identity/tokens/token_cache.h"

namespace integreat::identity {

namespace {

using PrincipalPointer = std::shared_ptr<const Principal>;

// RFC 6750 section 2.1: the scheme, one or more spaces, one b64token. What follows the spaces.
std::optional<std::string_view> after_scheme(std::string_view authorization) {
    constexpr std::string_view scheme = "Bearer";
    if (!http::equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
    auto rest = authorization.substr(scheme.size());
    auto start = rest.find_first_not_of(' ');
    if (start == 0 || start == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(start);
    return rest;
}

bool one_word(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char byte) {
        return byte > 0x20 && byte < 0x7F && byte != ',' && byte != '"' && byte != ';';
    });
}

Denial malformed_header(std::string_view authorization) {
    // Only the scheme becomes a fact: what follows may be somebody's password.
    auto scheme = authorization.substr(0, std::min(authorization.find(' '), std::size_t(16)));
    return {
        .type = "authorization-malformed",
        .title = "The Authorization header is not well formed",
        .detail =
            "Send \"Authorization: Bearer TOKEN\" with one Firebase ID token or API key, or no such header.",
        .rule = "the header must be the scheme Bearer, a space and one token",
        .facts = {{"scheme", as_fact(scheme)}, {"bytes", std::to_string(authorization.size())}}};
}

Denial unknown_key(const std::string& key_id, const KeySetStatus& status) {
    std::string known;
    for (const auto& id : status.key_ids)
        known += (known.empty() ? "" : ", ") + id;
    return {.type = "token-unknown-key",
            .title = "The token is signed with a key that is not in force",
            .detail = "Sign in again to get a token with a current key.",
            .rule = "the header's kid must be in the key set",
            .facts = {{"kid", as_fact(key_id)}, {"known", as_fact(known)}}};
}

}  // namespace

Identity::Identity(KeySet& keys, ApiKeys& api_keys, const Clock& clock, const IdentityLimits& limits)
    : keys_(keys),
      api_keys_(api_keys),
      clock_(clock),
      limits_(limits),
      cache_(std::make_unique<TokenCache>(limits.token_cache_max)) {}

Identity::~Identity() = default;

Verdict Identity::identify(std::string_view authorization, const Projects& projects, bool may_wait,
                           Monotonic deadline) {
    if (authorization.empty()) return PrincipalPointer();
    auto token = after_scheme(authorization);
    if (!token) return malformed_header(authorization);
    // What is in the cache has passed every check, this one included: a kilobyte is not looked at twice.
    if (auto principal = find_verified(*token, projects)) return principal;
    if (!one_word(*token)) return malformed_header(authorization);
    if (is_key_text(*token)) return api_keys_.identify(*token, may_wait, deadline);
    return identify_user(*token, projects, may_wait, deadline);
}

Verdict Identity::identify_user(std::string_view token, const Projects& projects, bool may_wait,
                                Monotonic deadline) {
    auto first = verify(token, projects);
    if (auto* verdict = std::get_if<Verdict>(&first)) return std::move(*verdict);
    auto lookup = keys_.look_again(may_wait, deadline);
    if (lookup == KeySet::Lookup::must_wait) return MustWait{};
    if (lookup == KeySet::Lookup::fetched) {
        auto second = verify(token, projects);
        if (auto* verdict = std::get_if<Verdict>(&second)) return std::move(*verdict);
    }
    if (lookup == KeySet::Lookup::crowded || keys_.generation() == 0) return unavailable();
    return unknown_key(std::get<UnknownKey>(first).key_id, keys_.status());
}

PrincipalPointer Identity::find_verified(std::string_view token, const Projects& projects) {
    Epoch epoch{.keys = keys_.generation(), .projects = projects.generation};
    return epoch.keys == 0 ? nullptr : cache_->find(token, epoch, clock_.now());
}

std::variant<Verdict, UnknownKey> Identity::verify(std::string_view token, const Projects& projects) {
    static const SigningKeys no_keys;
    auto now = clock_.now();
    // Read before the keys: if they change meanwhile, what is cached counts as verified under the older ones.
    Epoch epoch{.keys = keys_.generation(), .projects = projects.generation};
    auto keys = keys_.current();
    auto verdict = verify_firebase_token(token, keys ? *keys : no_keys, projects, limits_.token, now);
    if (auto* unknown = std::get_if<UnknownKey>(&verdict)) return std::move(*unknown);
    if (auto* denial = std::get_if<Denial>(&verdict)) return std::move(*denial);
    auto principal = std::get<PrincipalPointer>(std::move(verdict));
    cache_->insert(token, epoch, now, principal);
    return principal;
}

Denial Identity::unavailable() const {
    auto status = keys_.status();
    return {.status = 503,
            .type = "identity-unavailable",
            .title = "Callers cannot be identified at the moment",
            .detail = "The keys that verify tokens cannot be fetched; try again in a moment.",
            .rule = "the key set must have been fetched: " + keys_.settings().url,
            .facts = {{"last_error", as_fact(status.last_error)},
                      {"fetches", std::to_string(status.fetches)},
                      {"failures", std::to_string(status.failures)}}};
}

}  // namespace integreat::identity
