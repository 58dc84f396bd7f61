// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/firebase_tokens.h"

#include <algorithm>
#include <optional>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "crypto/jwt.h"
#include "http/message/headers.h"

namespace integreat::identity {

namespace {

using boost::json::object;
using Refusal = std::optional<Denial>;
using Facts = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view issuer_prefix = "https://securetoken.google.com/";
constexpr std::size_t key_id_bytes_max = 128;
constexpr std::size_t subject_characters_max = 128;
constexpr std::size_t role_bytes_max = 64;
constexpr std::int64_t year_9999 = 253'402'300'799;

std::optional<std::string_view> text_of(const object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    const auto* text = value ? value->if_string() : nullptr;
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

// A claim as it came, for the facts of a denial.
std::string shown(const object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    if (!value) return "(missing)";
    auto text = text_of(claims, name);
    return as_fact(text ? std::string(*text) : boost::json::serialize(*value));
}

bool has_control_character(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; });
}

std::size_t characters(std::string_view utf8) {
    return static_cast<std::size_t>(
        std::ranges::count_if(utf8, [](unsigned char byte) { return (byte & 0xC0) != 0x80; }));
}

Denial malformed(std::string detail, std::string rule, Facts facts = {}) {
    return {.type = "token-malformed",
            .title = "The token is not well formed",
            .detail = std::move(detail),
            .rule = std::move(rule),
            .facts = std::move(facts)};
}

Denial too_large(std::size_t size, std::size_t bytes_max) {
    return {.type = "token-too-large",
            .title = "The token is too large",
            .detail = fmt::format("A token may have at most {} bytes; keep custom claims small.", bytes_max),
            .rule = fmt::format("a token has at most {} bytes (identity.token_bytes_max)", bytes_max),
            .facts = {{"bytes", std::to_string(size)}}};
}

Refusal check_header(const object& header) {
    if (text_of(header, "alg") != "RS256") {
        return Denial{.type = "token-algorithm",
                      .title = "The token is not signed with RS256",
                      .detail = "Only ID tokens of Firebase Auth, signed with RS256, are accepted.",
                      .rule = "the header's alg must be RS256",
                      .facts = {{"alg", shown(header, "alg")}}};
    }
    for (std::string_view name : {"jwk", "jku", "x5u", "x5c"}) {
        if (!header.contains(name)) continue;
        return malformed("The token's header brings a key of its own; keys are named by \"kid\" only.",
                         "the header may not contain jwk, jku, x5u or x5c", {{"header", std::string(name)}});
    }
    if (auto type = text_of(header, "typ");
        header.contains("typ") && !http::equal_ignoring_case(type.value_or(""), "JWT")) {
        return malformed("The token's header says that it is not a JWT (\"typ\").",
                         "the header's typ, if any, must be JWT", {{"typ", shown(header, "typ")}});
    }
    auto key_id = text_of(header, "kid");
    if (!key_id || key_id->empty() || key_id->size() > key_id_bytes_max) {
        return malformed("The token's header does not name its key (\"kid\").",
                         "the header's kid must be a string of 1 to 128 bytes",
                         {{"kid", shown(header, "kid")}});
    }
    return std::nullopt;
}

// The project the token is for, if it is one of ours and the issuer says the same.
std::variant<const Project*, Denial> find_project(const object& claims, const Projects& projects) {
    auto audience = text_of(claims, "aud");
    auto is_audience = [&](const Project& project) { return project.project_id == audience; };
    auto project =
        audience && !audience->empty() ? std::ranges::find_if(projects.all, is_audience) : projects.all.end();
    if (project == projects.all.end()) {
        return Denial{
            .type = "token-audience",
            .title = "The token is for another project",
            .detail =
                "The token's \"aud\" is not a Firebase project of this platform. Does the application "
                "use the right Firebase configuration?",
            .rule = "aud must be one string, the Firebase project of one of the manifests",
            .facts = {{"aud", shown(claims, "aud")}, {"signature", "not checked"}}};
    }
    auto issuer = text_of(claims, "iss");
    if (!issuer || !issuer->starts_with(issuer_prefix) || issuer->substr(issuer_prefix.size()) != *audience) {
        return Denial{
            .type = "token-issuer",
            .title = "The token is from another issuer",
            .detail =
                "The token's \"iss\" must be https://securetoken.google.com/ and its project. Custom "
                "tokens and session cookies are no ID tokens: call getIdToken() in the application.",
            .rule = "iss must be https://securetoken.google.com/" + project->project_id,
            .facts = {
                {"iss", shown(claims, "iss")}, {"aud", shown(claims, "aud")}, {"signature", "not checked"}}};
    }
    return &*project;
}

std::optional<Time> time_of(const object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    const auto* seconds = value ? value->if_int64() : nullptr;
    if (!seconds || *seconds <= 0 || *seconds > year_9999) return std::nullopt;
    return from_unix_seconds(*seconds);
}

Refusal check_times(const object& claims, std::chrono::seconds skew, Time now) {
    for (const char* name : {"exp", "iat", "auth_time", "nbf"}) {
        if (time_of(claims, name) || (!claims.contains(name) && name == std::string_view("nbf"))) continue;
        return malformed(
            fmt::format("The token's \"{}\" must be a whole number of seconds since 1970.", name),
            fmt::format("{} is required as a positive integer up to the year 9999", name),
            {{name, shown(claims, name)}, {"signature", "not checked"}});
    }
    auto expires = *time_of(claims, "exp");
    if (expires <= now - skew) {
        return Denial{
            .type = "token-expired",
            .title = "The token has expired",
            .detail = fmt::format("It expired at {}. Refresh it: getIdToken(true).", format_rfc3339(expires)),
            .rule = fmt::format("exp must be later than now minus clock_skew ({} s)", skew.count()),
            .facts = {{"exp", format_rfc3339(expires)},
                      {"now", format_rfc3339(now)},
                      {"sub", shown(claims, "sub")},
                      {"signature", "not checked"}}};
    }
    for (const char* name : {"iat", "auth_time", "nbf"}) {
        auto time = time_of(claims, name);
        if (!time || *time <= now + skew) continue;
        return Denial{
            .type = "token-not-yet-valid",
            .title = "The token is from the future",
            .detail =
                fmt::format("Its \"{}\" is {}. Is the issuer's clock right?", name, format_rfc3339(*time)),
            .rule = fmt::format("{} may be at most clock_skew ({} s) after now", name, skew.count()),
            .facts = {
                {name, format_rfc3339(*time)}, {"now", format_rfc3339(now)}, {"signature", "not checked"}}};
    }
    return std::nullopt;
}

Refusal check_person(const object& claims) {
    auto subject = text_of(claims, "sub");
    if (!subject || subject->empty() || characters(*subject) > subject_characters_max ||
        has_control_character(*subject)) {
        return Denial{.type = "token-subject",
                      .title = "The token does not say whose it is",
                      .detail = "The token's \"sub\" must be a user id of 1 to 128 characters.",
                      .rule = "sub must be a string of 1 to 128 characters without control characters",
                      .facts = {{"sub", shown(claims, "sub")}, {"signature", "not checked"}}};
    }
    auto role = text_of(claims, "role").value_or("");
    bool role_fits = text_of(claims, "role") && role.size() <= role_bytes_max &&
                     std::ranges::all_of(role, [](unsigned char byte) { return byte > 0x20 && byte < 0x7F; });
    if (claims.contains("role") && !role_fits) {
        return Denial{.type = "token-role",
                      .title = "The token's role cannot be read",
                      .detail = "The custom claim \"role\" must be one word of at most 64 ASCII characters.",
                      .rule = "role, if any, must be a string of at most 64 visible ASCII characters",
                      .facts = {{"role", shown(claims, "role")},
                                {"sub", shown(claims, "sub")},
                                {"signature", "not checked"}}};
    }
    return std::nullopt;
}

Refusal check_signature(const crypto::Jwt& jwt, const SigningKey& key, Time now) {
    if (now > key.not_after) {
        return Denial{.type = "token-unknown-key",
                      .title = "The token is signed with a key that is not in force",
                      .detail = "Sign in again to get a token with a current key.",
                      .rule = "the certificate of the token's kid must not have expired",
                      .facts = {{"kid", key.id}, {"certificate_not_after", format_rfc3339(key.not_after)}}};
    }
    if (!key.key.verify_rs256(jwt.signed_text, jwt.signature)) {
        return Denial{.type = "token-signature",
                      .title = "The token's signature is wrong",
                      .detail = "The token was changed on its way, or was not made by Firebase Auth.",
                      .rule = "the signature must verify with the key named by kid",
                      .facts = {{"kid", key.id},
                                {"signature_bytes", std::to_string(jwt.signature.size())},
                                {"aud (unproven)", shown(jwt.payload, "aud")},
                                {"sub (unproven)", shown(jwt.payload, "sub")}}};
    }
    return std::nullopt;
}

// Display text is carried into logs and headers: a value with control characters is left out.
std::string display_text(const object& claims, std::string_view name) {
    auto text = text_of(claims, name).value_or("");
    return has_control_character(text) ? std::string() : std::string(text);
}

Principal principal_of(const object& claims, const Project& project) {
    const auto* verified = claims.if_contains("email_verified");
    const auto* firebase = claims.if_contains("firebase");
    const auto* sign_in = firebase ? firebase->if_object() : nullptr;
    return {.kind = PrincipalKind::user,
            .tenant = project.tenant,
            .subject = std::string(*text_of(claims, "sub")),
            .role = std::string(text_of(claims, "role").value_or("")),
            .email = display_text(claims, "email"),
            .email_verified = verified && verified->is_bool() && verified->get_bool(),
            .name = display_text(claims, "name"),
            .sign_in_provider = sign_in ? display_text(*sign_in, "sign_in_provider") : std::string(),
            .authenticated = *time_of(claims, "auth_time"),
            .expires = *time_of(claims, "exp")};
}

}  // namespace

TokenVerdict verify_firebase_token(std::string_view token, const SigningKeys& keys, const Projects& projects,
                                   const TokenRules& rules, Time now) {
    if (token.size() > rules.bytes_max) return too_large(token.size(), rules.bytes_max);
    std::array<unsigned char, 8 * 1024> memory;
    boost::json::monotonic_resource storage(memory.data(), memory.size());
    auto jwt = crypto::parse_jwt(token, {.bytes_max = rules.bytes_max}, &storage);
    if (!jwt) {
        return malformed("The token cannot be read: " + jwt.error().message + ".",
                         "a token is header.payload.signature, each canonical base64url, the first two "
                         "strict JSON objects",
                         {{"mistake", as_fact(jwt.error().message)}});
    }
    if (auto refusal = check_header(jwt->header)) return *std::move(refusal);
    auto project = find_project(jwt->payload, projects);
    if (auto* denial = std::get_if<Denial>(&project)) return std::move(*denial);
    if (auto refusal = check_times(jwt->payload, rules.clock_skew, now)) return *std::move(refusal);
    if (auto refusal = check_person(jwt->payload)) return *std::move(refusal);
    auto key_id = *text_of(jwt->header, "kid");
    const auto* key = keys.find(key_id);
    if (!key) return UnknownKey{std::string(key_id)};
    if (auto refusal = check_signature(*jwt, *key, now)) return *std::move(refusal);
    return std::make_shared<const Principal>(principal_of(jwt->payload, *std::get<const Project*>(project)));
}

}  // namespace integreat::identity
