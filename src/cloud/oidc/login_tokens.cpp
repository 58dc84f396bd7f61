// SPDX-License-Identifier: Apache-2.0
#include "cloud/oidc/login_tokens.h"

#include <algorithm>

#include "crypto/jwt.h"
#include "identity/tokens/firebase_tokens.h"
#include "json/value/parse.h"

namespace integreat::oidc {

using boost::json::object;
using identity::Denial;
using identity::KeySet;
using identity::SigningKeys;

namespace {

constexpr std::string_view firebase_issuer = "securetoken.google.com/";
constexpr std::size_t token_bytes_max = 16 * 1024;

std::string text_of(const object& claims, const char* name) {
    const auto* value = claims.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string without_scheme(std::string url) {
    auto scheme = url.find("://");
    return scheme == std::string::npos ? url : url.substr(scheme + 3);
}

Denial deny(const char* type, std::string detail) {
    return {.type = type,
            .title = "The login token is not accepted",
            .detail = std::move(detail),
            .rule = {},
            .facts = {}};
}

std::optional<std::int64_t> seconds_of(const object& claims, const char* name) {
    const auto* value = claims.if_contains(name);
    if (!value || !value->is_int64() || value->get_int64() <= 0) return std::nullopt;
    return value->get_int64();
}

// "aud" may be one name or several.
std::string audience_of(const object& claims, const std::vector<std::string>& accepted) {
    const auto* value = claims.if_contains("aud");
    if (!value) return {};
    auto fits = [&](std::string_view name) {
        return accepted.empty() || std::ranges::find(accepted, name) != accepted.end();
    };
    if (value->is_string())
        return fits(value->get_string()) ? std::string(value->get_string()) : std::string();
    if (!value->is_array()) return {};
    for (const auto& name : value->get_array()) {
        if (name.is_string() && fits(name.get_string())) return std::string(name.get_string());
    }
    return {};
}

std::optional<Denial> check_times(const object& claims, Time now, std::chrono::seconds skew) {
    auto expires = seconds_of(claims, "exp");
    if (!expires) return deny("token-malformed", "\"exp\" is missing or no time");
    auto now_s = unix_seconds(now);
    if (*expires <= now_s) {
        auto denial = deny("token-expired",
                           "Token expired: " + std::to_string(now_s) + " >= " + std::to_string(*expires));
        denial.facts = {{"now", std::to_string(now_s)}, {"exp", std::to_string(*expires)}};
        return denial;
    }
    for (const char* name : {"iat", "nbf"}) {
        if (!claims.contains(name)) continue;
        auto time = seconds_of(claims, name);
        if (!time) return deny("token-malformed", "\"" + std::string(name) + "\" is no time");
        if (*time > now_s + skew.count()) {
            return deny("token-not-yet-valid", "\"" + std::string(name) + "\" is in the future");
        }
    }
    return std::nullopt;
}

using Verified = std::variant<LoginToken, Denial, identity::UnknownKey>;

// All that can be said without the issuer's keys.
std::optional<Denial> check_claims(const crypto::Jwt& jwt, const Expected& expected, Time now,
                                   std::chrono::seconds skew) {
    if (text_of(jwt.header, "alg") != "RS256") return deny("token-algorithm", "the algorithm must be RS256");
    if (text_of(jwt.header, "kid").empty())
        return deny("token-algorithm", "the header names no key (\"kid\")");
    if (without_scheme(text_of(jwt.payload, "iss")) != expected.issuer) {
        return deny("token-issuer", "\"iss\" is " + identity::as_fact(text_of(jwt.payload, "iss")));
    }
    if (audience_of(jwt.payload, expected.audiences).empty()) {
        return deny("token-audience", "\"aud\" is none of the provider's client ids");
    }
    if (auto denial = check_times(jwt.payload, now, skew)) return denial;
    if (text_of(jwt.payload, "sub").empty()) return deny("token-subject", "\"sub\" is missing");
    return std::nullopt;
}

Verified verify_with(std::string_view token, const SigningKeys& keys, const Expected& expected, Time now,
                     std::chrono::seconds skew) {
    auto jwt = crypto::parse_jwt(token, {.bytes_max = token_bytes_max});
    if (!jwt) return deny("token-malformed", jwt.error().message);
    if (auto denial = check_claims(*jwt, expected, now, skew)) return *std::move(denial);
    auto audience = audience_of(jwt->payload, expected.audiences);
    if (expected.issuer.starts_with(firebase_issuer)) {
        identity::Projects projects{
            .all = {{platform_tenant, expected.issuer.substr(firebase_issuer.size())}}, .generation = 1};
        identity::TokenRules rules{.clock_skew = skew, .bytes_max = token_bytes_max};
        auto verdict = identity::verify_firebase_token(token, keys, projects, rules, now);
        if (auto* denial = std::get_if<Denial>(&verdict)) return std::move(*denial);
        if (auto* unknown = std::get_if<identity::UnknownKey>(&verdict)) return std::move(*unknown);
    } else {
        auto id = text_of(jwt->header, "kid");
        const auto* key = keys.find(id);
        if (!key) return identity::UnknownKey{id};
        if (now > key->not_after || !key->key.verify_rs256(jwt->signed_text, jwt->signature)) {
            return deny("token-signature",
                        "the signature does not verify with the key " + identity::as_fact(id));
        }
    }
    return LoginToken{.issuer = expected.issuer,
                      .subject = text_of(jwt->payload, "sub"),
                      .audience = std::move(audience),
                      .expires = from_unix_seconds(*seconds_of(jwt->payload, "exp")),
                      .claims = std::move(jwt->payload)};
}

// Discovery may name plain HTTP only where the issuer itself is on this machine.
bool is_on_this_machine(std::string_view host) {
    auto name = host.substr(0, host.find_first_of(":/"));
    return name == "127.0.0.1" || name == "localhost";
}

}  // namespace

std::string unverified_issuer(std::string_view token) {
    auto jwt = crypto::parse_jwt(token, {.bytes_max = token_bytes_max});
    return jwt ? without_scheme(text_of(jwt->payload, "iss")) : std::string();
}

Result<std::string> LoginTokens::discover(const std::string& issuer) {
    auto scheme = is_on_this_machine(issuer) ? "http://" : "https://";
    auto reply = TRY(outbound_.fetch({.url = scheme + issuer + "/.well-known/openid-configuration",
                                      .headers = {{"Accept", "application/json"}},
                                      .timeout = settings_.fetch_timeout,
                                      .response_bytes_max = 256 * 1024}));
    if (reply.status != 200) {
        return Error{Fault::unavailable, "the issuer's configuration cannot be fetched",
                     issuer + " answered " + std::to_string(reply.status)};
    }
    auto configuration = TRY(json::parse_object(reply.body));
    auto url = text_of(configuration, "jwks_uri");
    if (url.starts_with("https://") ||
        (url.starts_with("http://") && is_on_this_machine(without_scheme(url)))) {
        return url;
    }
    return Error{Fault::unavailable, "the issuer's configuration names no keys", issuer};
}

Result<std::shared_ptr<KeySet>> LoginTokens::keys_of(const std::string& issuer) {
    bool firebase = issuer.starts_with(firebase_issuer);
    auto name = firebase ? std::string(firebase_issuer) : issuer;
    {
        auto sets = sets_.lock();
        if (auto known = sets->find(name); known != sets->end()) return known->second;
        if (sets->size() >= settings_.issuers_max) {
            return Error{Fault::exhausted, "too many issuers", std::to_string(settings_.issuers_max)};
        }
    }
    auto url = firebase ? settings_.firebase_keys_url : TRY(discover(issuer));
    auto made = std::make_shared<KeySet>(identity::KeySetSettings{.url = url}, outbound_, clock_);
    return sets_.lock()->emplace(name, std::move(made)).first->second;
}

std::variant<LoginToken, Denial> LoginTokens::verify(std::string_view token, const Expected& expected) {
    auto now = clock_.now();
    auto answer = [](Verified verified) -> std::variant<LoginToken, Denial> {
        if (auto* good = std::get_if<LoginToken>(&verified)) return std::move(*good);
        if (auto* denial = std::get_if<Denial>(&verified)) return std::move(*denial);
        return deny("token-unknown-key",
                    "no key of the issuer is called " +
                        identity::as_fact(std::get<identity::UnknownKey>(verified).key_id));
    };
    Keys local;
    {
        auto all = local_.lock();
        if (auto found = all->find(expected.issuer); found != all->end()) local = found->second;
    }
    if (local) return answer(verify_with(token, *local(), expected, now, settings_.clock_skew));

    if (expected.audiences.empty()) return deny("token-audience", "the provider has no client ids");
    // Without keys first: what is wrong anyway must not make us fetch any.
    static const SigningKeys none{};
    auto verified = verify_with(token, none, expected, now, settings_.clock_skew);
    if (std::holds_alternative<Denial>(verified)) return answer(std::move(verified));
    auto keys = keys_of(expected.issuer);
    if (!keys) return deny("keys-unavailable", keys.error().message + ": " + keys.error().cause);
    auto deadline = clock_.monotonic() + settings_.fetch_timeout;
    for (int attempt = 0; attempt < 2; ++attempt) {
        if (auto current = (*keys)->current()) {
            verified = verify_with(token, *current, expected, now, settings_.clock_skew);
            if (!std::holds_alternative<identity::UnknownKey>(verified)) return answer(std::move(verified));
        }
        if ((*keys)->look_again(true, deadline) != KeySet::Lookup::fetched) break;
    }
    if (auto current = (*keys)->current()) {
        return answer(verify_with(token, *current, expected, now, settings_.clock_skew));
    }
    return deny("keys-unavailable", (*keys)->status().last_error);
}

void LoginTokens::add_local_issuer(std::string issuer, Keys keys) {
    (*local_.lock())[std::move(issuer)] = std::move(keys);
}

void LoginTokens::fetch_firebase_keys() {
    if (auto keys = keys_of(std::string(firebase_issuer))) (*keys)->refresh_due();
}

}  // namespace integreat::oidc
