// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/tokens/tokens.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "cloud/firebase/store/account_store.h"
#include "cloud/firebase/store/json_field_reader.h"
#include "cloud/firebase/tokens/keys.h"
#include "crypto/ids.h"
#include "crypto/jwt.h"
#include "json/value/parse.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

constexpr std::string_view custom_token_audience =
    "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit";
constexpr std::string_view emulator_account = "firebase-auth-emulator@example.com";
constexpr std::int64_t clock_skew_seconds = 30;
constexpr std::size_t refresh_token_bytes = 48;

std::string_view get_text(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    const auto* text = value ? value->if_string() : nullptr;
    return text ? std::string_view(*text) : std::string_view();
}

std::int64_t get_number(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    const auto* number = value ? value->if_int64() : nullptr;
    return number ? *number : 0;
}

Result<> add_claims(json::object& payload, const std::string& text) {
    auto claims = TRY(integreat::json::parse_object(text));
    for (auto& [name, value] : claims)
        payload[name] = std::move(value);
    return {};
}

// Sets the claim or removes it, so that a custom claim cannot take the place of Firebase's own.
void set_or_erase(json::object& payload, std::string_view name, const std::optional<std::string>& value) {
    if (value) {
        payload[name] = *value;
    } else {
        payload.erase(name);
    }
}

json::object make_identities(const User& user) {
    json::object identities;
    if (user.email) identities["email"] = json::array{*user.email};
    if (user.phone_number) identities["phone"] = json::array{*user.phone_number};
    for (const auto& link : user.links)
        identities[link.provider_id] = json::array{link.raw_id};
    return identities;
}

std::string make_issuer(const Project& project) {
    return "https://securetoken.google.com/" + project.id.text;
}

}  // namespace

Result<std::string> make_id_token(Transaction& transaction, Auth& auth, const Project& project,
                                  const User& user, const SignIn& sign_in) {
    auto now_s = now_seconds(auth);
    json::object payload;
    if (user.display_name) payload["name"] = *user.display_name;
    if (user.photo_url) payload["picture"] = *user.photo_url;
    TRY(add_claims(payload, user.claims));
    TRY(add_claims(payload, sign_in.claims));
    payload["iss"] = make_issuer(project);
    payload["aud"] = project.id.text;
    payload["auth_time"] = sign_in.auth_time_s;
    payload["user_id"] = user.uid;
    payload["sub"] = user.uid;
    payload["iat"] = now_s;
    payload["exp"] = now_s + id_token_seconds;
    set_or_erase(payload, "email", user.email);
    payload.erase("email_verified");
    if (user.email) payload["email_verified"] = user.email_verified;
    set_or_erase(payload, "phone_number", user.phone_number);
    payload.erase("provider_id");
    if (sign_in.provider == "anonymous") payload["provider_id"] = "anonymous";
    payload["firebase"] = {{"identities", make_identities(user)}, {"sign_in_provider", sign_in.provider}};
    auto signer = TRY(active_signer(transaction, auth));
    return crypto::sign_jwt(payload, signer.key_id, signer.key);
}

Result<json::object> issue_tokens(Transaction& transaction, Auth& auth, const Project& project, User& user,
                                  const SignIn& sign_in) {
    user.last_refresh_ms = now_milliseconds(auth);
    TRY(save_user(transaction, project.id, user));
    auto refresh_token = crypto::random_token(auth.random, refresh_token_bytes);
    TRY(insert_refresh_token(transaction, project.id, refresh_token,
                             {.uid = user.uid,
                              .sign_in_provider = sign_in.provider,
                              .claims = sign_in.claims,
                              .auth_time_s = sign_in.auth_time_s,
                              .issued_s = now_seconds(auth)}));
    auto id_token = TRY(make_id_token(transaction, auth, project, user, sign_in));
    return json::object{{"idToken", id_token},
                        {"refreshToken", refresh_token},
                        {"expiresIn", std::to_string(id_token_seconds)}};
}

Result<VerifiedIdToken> verify_id_token(Transaction& transaction, Auth& auth, const Project& project,
                                        std::string_view token) {
    auto now_s = now_seconds(auth);
    auto jwt = crypto::parse_jwt(token, {.max_bytes = max_token_bytes});
    if (!jwt || get_text(jwt->header, "alg") != "RS256") return firebase_error("INVALID_ID_TOKEN");
    auto key = TRY(published_key(transaction, now_s, get_text(jwt->header, "kid")));
    if (!key || !key->verify_rs256(jwt->signing_input, jwt->signature))
        return firebase_error("INVALID_ID_TOKEN");
    const auto& payload = jwt->payload;
    if (get_text(payload, "iss") != make_issuer(project) || get_text(payload, "aud") != project.id.text) {
        return firebase_error("INVALID_ID_TOKEN");
    }
    auto user = TRY(find_user(transaction, project.id, get_text(payload, "sub")));
    if (!user) return firebase_error("USER_NOT_FOUND");
    bool expired = get_number(payload, "exp") <= now_s || get_number(payload, "iat") < user->valid_since_s;
    if (expired) return firebase_error("TOKEN_EXPIRED");
    if (user->disabled) return firebase_error("USER_DISABLED");
    const auto* firebase = payload.if_contains("firebase");
    ASSERT(firebase && firebase->is_object());  // The token was signed here.
    return VerifiedIdToken{.user = std::move(*user),
                           .provider = std::string(get_text(firebase->get_object(), "sign_in_provider")),
                           .payload = payload};
}

Result<std::string> make_session_cookie(Transaction& transaction, Auth& auth, const Project& project,
                                        const VerifiedIdToken& verified, std::int64_t valid_seconds) {
    auto payload = verified.payload;
    payload["iss"] = "https://session.firebase.google.com/" + project.id.text;
    payload["iat"] = now_seconds(auth);
    payload["exp"] = now_seconds(auth) + valid_seconds;
    auto signer = TRY(active_signer(transaction, auth));
    return crypto::sign_jwt(payload, signer.key_id, signer.key);
}

namespace {

Error custom_token_error(const std::string& reason) {
    return firebase_error("INVALID_CUSTOM_TOKEN : " + reason);
}

Result<> check_custom_signature(Transaction& transaction, const Project& project, const crypto::Jwt& jwt) {
    auto issuer = get_text(jwt.payload, "iss");
    if (issuer != get_text(jwt.payload, "sub"))
        return custom_token_error("iss and sub must be the same account");
    auto algorithm = get_text(jwt.header, "alg");
    if (algorithm == "none" && jwt.signature.empty()) {
        if (issuer == emulator_account) return {};
        return custom_token_error("an unsigned token must come from firebase-admin in emulator mode");
    }
    if (algorithm != "RS256") return custom_token_error("alg must be RS256");
    if (issuer != TRY(service_account_email(transaction, project.id))) {
        auto other = TRY(transaction.query("SELECT 1 FROM service_accounts WHERE email=?", issuer));
        if (TRY(other.step())) return firebase_error("CREDENTIAL_MISMATCH");
        return custom_token_error("iss is not the project's service account");
    }
    auto key = TRY(service_account_key(transaction, project.id));
    if (!key.verify_rs256(jwt.signing_input, jwt.signature))
        return custom_token_error("the signature does not verify");
    return {};
}

}  // namespace

Result<CustomToken> verify_custom_token(Transaction& transaction, Auth& auth, const Project& project,
                                        std::string_view token) {
    auto jwt = crypto::parse_jwt(token, {.max_bytes = max_token_bytes});
    if (!jwt) return custom_token_error(jwt.error().message);
    TRY(check_custom_signature(transaction, project, *jwt));
    const auto& payload = jwt->payload;
    if (get_text(payload, "aud") != custom_token_audience) {
        return custom_token_error("aud must be " + std::string(custom_token_audience));
    }
    auto now_s = now_seconds(auth);
    if (get_number(payload, "exp") <= now_s) return custom_token_error("exp has passed or is missing");
    if (get_number(payload, "iat") > now_s + clock_skew_seconds)
        return custom_token_error("iat is in the future");
    if (payload.contains("tenant_id")) return firebase_error("TENANT_NOT_FOUND");
    CustomToken custom{.uid = std::string(get_text(payload, "uid")), .claims = {}};
    if (custom.uid.empty() || custom.uid.size() > uid_bytes_max) {
        return custom_token_error("uid must be a string of 1 to 128 bytes");
    }
    if (const auto* claims = payload.if_contains("claims")) {
        if (!claims->is_object()) return firebase_error("INVALID_CLAIMS");
        TRY(check_claims(claims->get_object()));
        custom.claims = claims->get_object();
    }
    return custom;
}

std::string random_uid(Random& random) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::size_t length = 28;
    std::string uid;
    while (uid.size() < length) {
        std::array<std::byte, 32> bytes;
        random.fill(bytes);
        for (auto byte : bytes) {
            auto number = std::to_integer<std::size_t>(byte) &
                          63;  // 62 and 63 are rejected to keep the distribution uniform.
            if (number < alphabet.size() && uid.size() < length) uid += alphabet[number];
        }
    }
    return uid;
}

}  // namespace integreat::firebase
