// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/firebase_tokens.h"

#include <algorithm>
#include <optional>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/text/ascii.h"
#include "crypto/jwt.h"
#include "http/message/headers.h"
#include "json/value/parse.h"

namespace integreat::identity {

namespace {

using boost::json::object;
using OptionalFailure = std::optional<AuthFailure>;
using Facts = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view issuer_prefix = "https://securetoken.google.com/";
constexpr std::size_t max_subject_characters = 128;
constexpr std::size_t max_role_bytes = 64;
constexpr std::int64_t year_9999 = 253'402'300'799;

// Renders a claim for the log.
std::string claim_for_log(const object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    if (!value) return "(missing)";
    auto text = json::find_string(claims, name);
    return sanitize_for_log(text ? std::string(*text) : boost::json::serialize(*value));
}

bool has_control_character(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; });
}

std::size_t count_characters(std::string_view utf8) {
    return static_cast<std::size_t>(
        std::ranges::count_if(utf8, [](unsigned char byte) { return (byte & 0xC0) != 0x80; }));
}

AuthFailure malformed(std::string detail, std::string rule, Facts facts = {}) {
    return {.type = http::ProblemType::token_malformed,
            .detail = std::move(detail),
            .rule = std::move(rule),
            .facts = std::move(facts)};
}

AuthFailure too_large(std::size_t size, std::size_t max_bytes) {
    return {.type = http::ProblemType::token_too_large,
            .detail = fmt::format("A token may have at most {} bytes; keep custom claims small.", max_bytes),
            .rule = fmt::format("a token has at most {} bytes (identity.max_token_bytes)", max_bytes),
            .facts = {{"bytes", std::to_string(size)}}};
}

OptionalFailure check_header(const object& header) {
    if (json::find_string(header, "alg") != "RS256") {
        return AuthFailure{.type = http::ProblemType::token_algorithm,
                           .detail = "Only ID tokens of Firebase Auth, signed with RS256, are accepted.",
                           .rule = "the header's alg must be RS256",
                           .facts = {{"alg", claim_for_log(header, "alg")}}};
    }
    for (std::string_view name : {"jwk", "jku", "x5u", "x5c"}) {
        if (!header.contains(name)) continue;
        return malformed("The token's header contains a key; only a key ID (\"kid\") is accepted.",
                         "the header may not contain jwk, jku, x5u or x5c", {{"header", std::string(name)}});
    }
    if (auto type = json::find_string(header, "typ");
        header.contains("typ") && !iequals(type.value_or(""), "JWT")) {
        return malformed("The type in the token's header (\"typ\") is not JWT.",
                         "the header's typ, if any, must be JWT", {{"typ", claim_for_log(header, "typ")}});
    }
    auto key_id = json::find_string(header, "kid");
    if (!key_id || key_id->empty() || key_id->size() > max_key_id_bytes) {
        return malformed("The token's header has no valid key ID (\"kid\").",
                         "the header's kid must be a string of 1 to 128 bytes",
                         {{"kid", claim_for_log(header, "kid")}});
    }
    return std::nullopt;
}

// Returns the project of the token's audience, if it is configured and matches the issuer.
std::variant<const Project*, AuthFailure> find_project(const object& claims, const Projects& projects) {
    auto audience = json::find_string(claims, "aud");
    auto is_audience = [&](const Project& project) { return project.project_id == audience; };
    auto project =
        audience && !audience->empty() ? std::ranges::find_if(projects.all, is_audience) : projects.all.end();
    if (project == projects.all.end()) {
        return AuthFailure{
            .type = http::ProblemType::token_audience,
            .detail =
                "The token's \"aud\" is not a Firebase project of this platform. Does the application "
                "use the right Firebase configuration?",
            .rule = "aud must be one string, the Firebase project of one of the manifests",
            .facts = {{"aud", claim_for_log(claims, "aud")}, {"signature", "not checked"}}};
    }
    auto issuer = json::find_string(claims, "iss");
    if (!issuer || !issuer->starts_with(issuer_prefix) || issuer->substr(issuer_prefix.size()) != *audience) {
        return AuthFailure{
            .type = http::ProblemType::token_issuer,
            .detail =
                "The token's \"iss\" must be https://securetoken.google.com/ and its project. Custom "
                "tokens and session cookies are not ID tokens: call getIdToken() in the application.",
            .rule = "iss must be https://securetoken.google.com/" + project->project_id,
            .facts = {{"iss", claim_for_log(claims, "iss")},
                      {"aud", claim_for_log(claims, "aud")},
                      {"signature", "not checked"}}};
    }
    return &*project;
}

std::optional<Time> parse_time(const object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    const auto* seconds = value ? value->if_int64() : nullptr;
    if (!seconds || *seconds <= 0 || *seconds > year_9999) return std::nullopt;
    return from_unix_seconds(*seconds);
}

OptionalFailure check_times(const object& claims, std::chrono::seconds skew, Time now) {
    for (const char* name : {"exp", "iat", "auth_time", "nbf"}) {
        if (parse_time(claims, name) || (!claims.contains(name) && name == std::string_view("nbf"))) continue;
        return malformed(
            fmt::format("The token's \"{}\" must be a whole number of seconds since 1970.", name),
            fmt::format("{} is required as a positive integer up to the year 9999", name),
            {{name, claim_for_log(claims, name)}, {"signature", "not checked"}});
    }
    auto expires = *parse_time(claims, "exp");
    if (expires <= now - skew) {
        return AuthFailure{
            .type = http::ProblemType::token_expired,
            .detail = fmt::format("It expired at {}. Refresh it: getIdToken(true).", format_rfc3339(expires)),
            .rule = fmt::format("exp must be later than now minus clock_skew ({} s)", skew.count()),
            .facts = {{"exp", format_rfc3339(expires)},
                      {"now", format_rfc3339(now)},
                      {"sub", claim_for_log(claims, "sub")},
                      {"signature", "not checked"}}};
    }
    for (const char* name : {"iat", "auth_time", "nbf"}) {
        auto time = parse_time(claims, name);
        if (!time || *time <= now + skew) continue;
        return AuthFailure{
            .type = http::ProblemType::token_not_yet_valid,
            .detail =
                fmt::format("Its \"{}\" is {}. Is the issuer's clock right?", name, format_rfc3339(*time)),
            .rule = fmt::format("{} may be at most clock_skew ({} s) after now", name, skew.count()),
            .facts = {
                {name, format_rfc3339(*time)}, {"now", format_rfc3339(now)}, {"signature", "not checked"}}};
    }
    return std::nullopt;
}

OptionalFailure check_user(const object& claims) {
    auto subject = json::find_string(claims, "sub");
    if (!subject || subject->empty() || count_characters(*subject) > max_subject_characters ||
        has_control_character(*subject)) {
        return AuthFailure{.type = http::ProblemType::token_subject,
                           .detail = "The token's \"sub\" must be a user id of 1 to 128 characters.",
                           .rule = "sub must be a string of 1 to 128 characters without control characters",
                           .facts = {{"sub", claim_for_log(claims, "sub")}, {"signature", "not checked"}}};
    }
    auto role = json::find_string(claims, "role").value_or("");
    bool is_valid_role =
        json::find_string(claims, "role") && role.size() <= max_role_bytes &&
        std::ranges::all_of(role, [](unsigned char byte) { return byte > 0x20 && byte < 0x7F; });
    if (claims.contains("role") && !is_valid_role) {
        return AuthFailure{
            .type = http::ProblemType::token_role,
            .detail = "The custom claim \"role\" must be one word of at most 64 ASCII characters.",
            .rule = "role, if any, must be a string of at most 64 visible ASCII characters",
            .facts = {{"role", claim_for_log(claims, "role")},
                      {"sub", claim_for_log(claims, "sub")},
                      {"signature", "not checked"}}};
    }
    return std::nullopt;
}

OptionalFailure check_signature(const crypto::Jwt& jwt, const SigningKey& key, Time now) {
    if (now > key.not_after) {
        return AuthFailure{
            .type = http::ProblemType::token_unknown_key,
            .detail = "Sign in again to get a token with a current key.",
            .rule = "the certificate of the token's kid must not have expired",
            .facts = {{"kid", key.id}, {"certificate_not_after", format_rfc3339(key.not_after)}}};
    }
    if (!key.key.verify_rs256(jwt.signing_input, jwt.signature)) {
        return AuthFailure{.type = http::ProblemType::token_signature,
                           .detail = "The token was altered, or was not issued by Firebase Auth.",
                           .rule = "the signature must verify with the key named by kid",
                           .facts = {{"kid", key.id},
                                     {"signature_bytes", std::to_string(jwt.signature.size())},
                                     {"aud (unproven)", claim_for_log(jwt.payload, "aud")},
                                     {"sub (unproven)", claim_for_log(jwt.payload, "sub")}}};
    }
    return std::nullopt;
}

// Returns a claim that is copied into logs and headers; empty if it has control characters.
std::string display_text(const object& claims, std::string_view name) {
    auto text = json::find_string(claims, name).value_or("");
    return has_control_character(text) ? std::string() : std::string(text);
}

Principal make_user_principal(const object& claims, const Project& project) {
    const auto* verified = claims.if_contains("email_verified");
    const auto* firebase = claims.if_contains("firebase");
    const auto* sign_in = firebase ? firebase->if_object() : nullptr;
    return {.kind = PrincipalKind::user,
            .tenant = project.tenant,
            .subject = std::string(*json::find_string(claims, "sub")),
            .role = std::string(json::find_string(claims, "role").value_or("")),
            .email = display_text(claims, "email"),
            .email_verified = verified && verified->is_bool() && verified->get_bool(),
            .name = display_text(claims, "name"),
            .sign_in_provider = sign_in ? display_text(*sign_in, "sign_in_provider") : std::string(),
            .authenticated = *parse_time(claims, "auth_time"),
            .expires = *parse_time(claims, "exp")};
}

}  // namespace

TokenResult verify_firebase_token(std::string_view token, const SigningKeys& keys, const Projects& projects,
                                  const TokenRules& rules, Time now) {
    if (token.size() > rules.max_bytes) return too_large(token.size(), rules.max_bytes);
    std::array<unsigned char, 8 * 1024> memory;
    boost::json::monotonic_resource storage(memory.data(), memory.size());
    auto jwt = crypto::parse_jwt(token, {.max_bytes = rules.max_bytes}, &storage);
    if (!jwt) {
        return malformed("The token cannot be read: " + jwt.error().message + ".",
                         "a token is header.payload.signature, each canonical base64url, the first two "
                         "strict JSON objects",
                         {{"error", sanitize_for_log(jwt.error().message)}});
    }
    if (auto failure = check_header(jwt->header)) return *std::move(failure);
    auto project = find_project(jwt->payload, projects);
    if (auto* failure = std::get_if<AuthFailure>(&project)) return std::move(*failure);
    if (auto failure = check_times(jwt->payload, rules.clock_skew, now)) return *std::move(failure);
    if (auto failure = check_user(jwt->payload)) return *std::move(failure);
    auto key_id = *json::find_string(jwt->header, "kid");
    const auto* key = keys.find(key_id);
    if (!key) return UnknownKey{std::string(key_id)};
    if (auto failure = check_signature(*jwt, *key, now)) return *std::move(failure);
    return std::make_shared<const Principal>(
        make_user_principal(jwt->payload, *std::get<const Project*>(project)));
}

}  // namespace integreat::identity
