// SPDX-License-Identifier: Apache-2.0
#include "cloud/oidc/login_tokens.h"

#include <algorithm>

#include "crypto/jwt.h"
#include "identity/tokens/firebase_tokens.h"
#include "json/value/parse.h"

namespace integreat::oidc {

using boost::json::object;
using identity::AuthFailure;
using identity::RemoteJwks;
using identity::SigningKeys;

namespace {

constexpr std::string_view firebase_issuer = "securetoken.google.com/";
constexpr std::size_t max_token_bytes = 16 * 1024;

std::string get_text(const object& claims, const char* name) {
    const auto* value = claims.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string without_scheme(std::string url) {
    auto scheme = url.find("://");
    return scheme == std::string::npos ? url : url.substr(scheme + 3);
}

AuthFailure deny(http::ProblemType type, std::string detail) {
    return {.type = type, .detail = std::move(detail), .rule = {}, .facts = {}};
}

std::optional<std::int64_t> get_seconds(const object& claims, const char* name) {
    const auto* value = claims.if_contains(name);
    if (!value || !value->is_int64() || value->get_int64() <= 0) return std::nullopt;
    return value->get_int64();
}

// Returns the first accepted audience; "aud" is a string or a list.
std::string find_audience(const object& claims, const std::vector<std::string>& accepted) {
    const auto* value = claims.if_contains("aud");
    if (!value) return {};
    auto is_accepted = [&](std::string_view name) {
        return accepted.empty() || std::ranges::find(accepted, name) != accepted.end();
    };
    if (value->is_string())
        return is_accepted(value->get_string()) ? std::string(value->get_string()) : std::string();
    if (!value->is_array()) return {};
    for (const auto& name : value->get_array()) {
        if (name.is_string() && is_accepted(name.get_string())) return std::string(name.get_string());
    }
    return {};
}

std::optional<AuthFailure> check_times(const object& claims, Time now, std::chrono::seconds skew) {
    auto expires = get_seconds(claims, "exp");
    if (!expires) return deny(http::ProblemType::token_malformed, "\"exp\" is missing or not a time");
    auto now_s = unix_seconds(now);
    if (*expires <= now_s) {
        auto denial = deny(http::ProblemType::token_expired,
                           "Token expired: " + std::to_string(now_s) + " >= " + std::to_string(*expires));
        denial.facts = {{"now", std::to_string(now_s)}, {"exp", std::to_string(*expires)}};
        return denial;
    }
    for (const char* name : {"iat", "nbf"}) {
        if (!claims.contains(name)) continue;
        auto time = get_seconds(claims, name);
        if (!time)
            return deny(http::ProblemType::token_malformed, "\"" + std::string(name) + "\" is not a time");
        if (*time > now_s + skew.count()) {
            return deny(http::ProblemType::token_not_yet_valid,
                        "\"" + std::string(name) + "\" is in the future");
        }
    }
    return std::nullopt;
}

using VerificationResult = std::variant<LoginToken, AuthFailure, identity::UnknownKey>;

// Checks everything that does not need the issuer's keys.
std::optional<AuthFailure> check_claims(const crypto::Jwt& jwt, const ExpectedToken& expected, Time now,
                                        std::chrono::seconds skew) {
    if (get_text(jwt.header, "alg") != "RS256")
        return deny(http::ProblemType::token_algorithm, "the algorithm must be RS256");
    if (get_text(jwt.header, "kid").empty())
        return deny(http::ProblemType::token_algorithm, "the header has no key id (\"kid\")");
    if (without_scheme(get_text(jwt.payload, "iss")) != expected.issuer) {
        return deny(http::ProblemType::token_issuer,
                    "\"iss\" is " + identity::sanitize_for_log(get_text(jwt.payload, "iss")));
    }
    if (find_audience(jwt.payload, expected.audiences).empty()) {
        return deny(http::ProblemType::token_audience, "\"aud\" does not match a client id of the provider");
    }
    if (auto denial = check_times(jwt.payload, now, skew)) return denial;
    if (get_text(jwt.payload, "sub").empty())
        return deny(http::ProblemType::token_subject, "\"sub\" is missing");
    return std::nullopt;
}

VerificationResult verify_with_keys(std::string_view token, const SigningKeys& keys,
                                    const ExpectedToken& expected, Time now, std::chrono::seconds skew) {
    auto jwt = crypto::parse_jwt(token, {.max_bytes = max_token_bytes});
    if (!jwt) return deny(http::ProblemType::token_malformed, jwt.error().message);
    if (auto denial = check_claims(*jwt, expected, now, skew)) return *std::move(denial);
    auto audience = find_audience(jwt->payload, expected.audiences);
    if (expected.issuer.starts_with(firebase_issuer)) {
        identity::Projects projects{
            .all = {{platform_tenant, expected.issuer.substr(firebase_issuer.size())}}, .generation = 1};
        identity::TokenRules rules{.clock_skew = skew, .max_bytes = max_token_bytes};
        auto result = identity::verify_firebase_token(token, keys, projects, rules, now);
        if (auto* denial = std::get_if<AuthFailure>(&result)) return std::move(*denial);
        if (auto* unknown = std::get_if<identity::UnknownKey>(&result)) return std::move(*unknown);
    } else {
        auto id = get_text(jwt->header, "kid");
        const auto* key = keys.find(id);
        if (!key) return identity::UnknownKey{id};
        if (now > key->not_after || !key->key.verify_rs256(jwt->signing_input, jwt->signature)) {
            return deny(http::ProblemType::token_signature,
                        "the signature does not verify with the key " + identity::sanitize_for_log(id));
        }
    }
    return LoginToken{.issuer = expected.issuer,
                      .subject = get_text(jwt->payload, "sub"),
                      .audience = std::move(audience),
                      .expires = from_unix_seconds(*get_seconds(jwt->payload, "exp")),
                      .claims = std::move(jwt->payload)};
}

// Plain HTTP is allowed only for issuers on this machine.
bool is_on_this_machine(std::string_view host) {
    auto name = host.substr(0, host.find_first_of(":/"));
    return name == "127.0.0.1" || name == "localhost";
}

}  // namespace

std::string parse_unverified_issuer(std::string_view token) {
    auto jwt = crypto::parse_jwt(token, {.max_bytes = max_token_bytes});
    return jwt ? without_scheme(get_text(jwt->payload, "iss")) : std::string();
}

Result<std::string> LoginTokens::discover(const std::string& issuer) {
    auto scheme = is_on_this_machine(issuer) ? "http://" : "https://";
    auto response = TRY(http_client_.fetch({.url = scheme + issuer + "/.well-known/openid-configuration",
                                            .headers = {{"Accept", "application/json"}},
                                            .timeout = settings_.fetch_timeout,
                                            .response_bytes_max = 256 * 1024}));
    if (response.status != 200) {
        return Error{Fault::unavailable, "the issuer's configuration cannot be fetched",
                     issuer + " responded with status " + std::to_string(response.status)};
    }
    auto configuration = TRY(json::parse_object(response.body));
    auto url = get_text(configuration, "jwks_uri");
    if (url.starts_with("https://") ||
        (url.starts_with("http://") && is_on_this_machine(without_scheme(url)))) {
        return url;
    }
    return Error{Fault::unavailable, "the issuer's configuration has no valid jwks_uri", issuer};
}

Result<std::shared_ptr<RemoteJwks>> LoginTokens::find_keys(const std::string& issuer) {
    bool firebase = issuer.starts_with(firebase_issuer);
    auto name = firebase ? std::string(firebase_issuer) : issuer;
    {
        auto jwks = jwks_.lock();
        if (auto cached = jwks->find(name); cached != jwks->end()) return cached->second;
        if (jwks->size() >= settings_.issuers_max) {
            return Error{Fault::exhausted, "too many issuers", std::to_string(settings_.issuers_max)};
        }
    }
    auto url = firebase ? settings_.firebase_keys_url : TRY(discover(issuer));
    auto remote =
        std::make_shared<RemoteJwks>(identity::RemoteJwksSettings{.url = url}, http_client_, clock_);
    return jwks_.lock()->emplace(name, std::move(remote)).first->second;
}

std::variant<LoginToken, AuthFailure> LoginTokens::verify(std::string_view token,
                                                          const ExpectedToken& expected) {
    auto now = clock_.now();
    auto to_result = [](VerificationResult verified) -> std::variant<LoginToken, AuthFailure> {
        if (auto* login_token = std::get_if<LoginToken>(&verified)) return std::move(*login_token);
        if (auto* denial = std::get_if<AuthFailure>(&verified)) return std::move(*denial);
        return deny(http::ProblemType::token_unknown_key,
                    "the issuer has no key with the id " +
                        identity::sanitize_for_log(std::get<identity::UnknownKey>(verified).key_id));
    };
    Keys local;
    {
        auto issuers = local_issuers_.lock();
        if (auto entry = issuers->find(expected.issuer); entry != issuers->end()) local = entry->second;
    }
    if (local) return to_result(verify_with_keys(token, *local(), expected, now, settings_.clock_skew));

    if (expected.audiences.empty())
        return deny(http::ProblemType::token_audience, "the provider has no client ids");
    // First without keys, so that an invalid token does not cause a request.
    static const SigningKeys none{};
    auto verified = verify_with_keys(token, none, expected, now, settings_.clock_skew);
    if (std::holds_alternative<AuthFailure>(verified)) return to_result(std::move(verified));
    auto keys = find_keys(expected.issuer);
    if (!keys)
        return deny(http::ProblemType::identity_unavailable,
                    keys.error().message + ": " + keys.error().cause);
    auto deadline = clock_.monotonic() + settings_.fetch_timeout;
    for (int attempt = 0; attempt < 2; ++attempt) {
        if (auto current = (*keys)->current()) {
            verified = verify_with_keys(token, *current, expected, now, settings_.clock_skew);
            if (!std::holds_alternative<identity::UnknownKey>(verified))
                return to_result(std::move(verified));
        }
        if ((*keys)->refresh_for_kid(true, deadline) != RemoteJwks::RefreshResult::refreshed) break;
    }
    if (auto current = (*keys)->current()) {
        return to_result(verify_with_keys(token, *current, expected, now, settings_.clock_skew));
    }
    return deny(http::ProblemType::identity_unavailable, (*keys)->status().last_error);
}

void LoginTokens::add_local_issuer(std::string issuer, Keys keys) {
    (*local_issuers_.lock())[std::move(issuer)] = std::move(keys);
}

void LoginTokens::prefetch_firebase_keys() {
    if (auto keys = find_keys(std::string(firebase_issuer))) (*keys)->refresh_due();
}

}  // namespace integreat::oidc
