// SPDX-License-Identifier: Apache-2.0
// Sign-in with another identity provider. Google's keys are not available and no network is needed: as in
// Google's emulator, an id_token is accepted without verification, as a JWT or as plain JSON
// ({"sub":"g-123","email":"…","email_verified":true}), so that a test can sign in as any user.
#include <boost/json/serialize.hpp>

#include "base/text/ascii.h"
#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "crypto/jwt.h"
#include "http/routing/target.h"
#include "json/value/parse.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

struct Credential {
    std::string provider_id;
    std::string id_token;
    std::string access_token;
};

// The claims of the provider about the user.
struct Assertion {
    std::string raw_id;
    std::optional<std::string> email, name, picture;
    bool email_verified = false;
    json::object claims;
};

Error idp_response_error(const std::string& reason) {
    return firebase_error("INVALID_IDP_RESPONSE : " + reason);
}

Result<Credential> parse_credential(const std::string& post_body) {
    std::string_view form = post_body;
    if (form.starts_with('&')) form.remove_prefix(1);  // The JS SDK sends a leading one.
    auto pairs = http::parse_query(form);
    if (!pairs) return idp_response_error("postBody is not a form");
    Credential credential;
    for (const auto& [name, value] : *pairs) {
        if (name == "providerId") credential.provider_id = value;
        if (name == "id_token") credential.id_token = value;
        if (name == "access_token") credential.access_token = value;
    }
    auto permitted = [](char c) { return is_lower(c) || is_digit(c) || c == '.' || c == '-' || c == '_'; };
    const auto& id = credential.provider_id;
    bool reserved = id == "password" || id == "phone" || id == "anonymous" || id == "custom" || id == "email";
    if (id.empty() || id.size() > 100 || reserved || !std::all_of(id.begin(), id.end(), permitted)) {
        return firebase_error(
            "INVALID_CREDENTIAL_OR_PROVIDER_ID : Invalid IdP response/credential: providerId=" +
            id.substr(0, 100));
    }
    return credential;
}

Result<json::object> parse_claims(const Credential& credential) {
    const auto& text = credential.id_token.empty() ? credential.access_token : credential.id_token;
    if (text.empty()) return idp_response_error("postBody needs an id_token");
    if (text.size() > max_token_bytes) return idp_response_error("the id_token is too long");
    if (text.starts_with('{')) {
        auto claims = integreat::json::parse_object(text);
        if (!claims) return idp_response_error("Unable to parse id_token: " + claims.error().message);
        return claims;
    }
    auto jwt = crypto::parse_jwt(text, {.max_bytes = max_token_bytes});
    if (!jwt) {
        return idp_response_error(
            "Unable to parse id_token: it must be a JWT or strict JSON such as"
            " {\"sub\":\"g-123\",\"email\":\"…\",\"email_verified\":true}; access tokens of real"
            " providers cannot be verified here");
    }
    return std::move(jwt->payload);
}

Result<Assertion> parse_assertion(const Credential& credential) {
    auto claims = TRY(parse_claims(credential));
    JsonFieldReader fields(claims);
    auto raw_id = fields.text("sub", uid_bytes_max);
    auto email = fields.text("email");
    Assertion assertion{.raw_id = raw_id.value_or(""),
                        .email = email,
                        .name = fields.text("name", name_bytes_max),
                        .picture = fields.text("picture"),
                        .email_verified = fields.flag("email_verified").value_or(false),
                        .claims = claims};
    if (auto checked = fields.check(); !checked) return idp_response_error(checked.error().message);
    if (assertion.raw_id.empty()) return idp_response_error("id_token missing required field sub");
    if (email) assertion.email = TRY(check_email(*email));
    return assertion;
}

std::string raw_user_info(const Credential& credential, const Assertion& assertion) {
    if (credential.provider_id != "google.com") return json::serialize(assertion.claims);
    json::object info{{"id", assertion.raw_id},
                      {"verified_email", assertion.email_verified},
                      {"granted_scopes",
                       "openid https://www.googleapis.com/auth/userinfo.profile"
                       " https://www.googleapis.com/auth/userinfo.email"}};
    if (assertion.name) info["name"] = *assertion.name;
    if (assertion.email) info["email"] = *assertion.email;
    if (assertion.picture) info["picture"] = *assertion.picture;
    return json::serialize(info);
}

json::object to_json(const Credential& credential, const Assertion& assertion) {
    json::object response{{"kind", "identitytoolkit#VerifyAssertionResponse"},
                          {"context", ""},
                          {"providerId", credential.provider_id},
                          {"emailVerified", assertion.email_verified},
                          {"rawUserInfo", raw_user_info(credential, assertion)}};
    response["federatedId"] = credential.provider_id == "google.com"
                                  ? "https://accounts.google.com/" + assertion.raw_id
                                  : assertion.raw_id;
    if (assertion.email) response["email"] = *assertion.email;
    for (const char* name : {"displayName", "fullName"}) {
        if (assertion.name) response[name] = *assertion.name;
    }
    if (assertion.picture) response["photoUrl"] = *assertion.picture;
    if (!credential.id_token.empty()) response["oauthIdToken"] = credential.id_token;
    // The JS SDK requires an access token for a credential; the provider was not contacted, so it is made up.
    response["oauthAccessToken"] = credential.access_token.empty()
                                       ? "local-" + credential.provider_id + "-access-token"
                                       : credential.access_token;
    return response;
}

void set_link(User& user, const Credential& credential, const Assertion& assertion) {
    std::erase_if(user.links,
                  [&](const ProviderLink& link) { return link.provider_id == credential.provider_id; });
    user.links.push_back({.provider_id = credential.provider_id,
                          .raw_id = assertion.raw_id,
                          .email = assertion.email,
                          .display_name = assertion.name,
                          .photo_url = assertion.picture});
}

// Attaches a verified provider account to an existing user of the same address. If the address was not
// verified before, another person may have signed up with it: their password, phone and other providers are
// removed.
void take_over_account(User& user, const Assertion& assertion, std::int64_t now_s) {
    if (!user.email_verified) {
        user.password.reset();
        user.phone_number.reset();
        user.links.clear();
        user.valid_since_s = now_s;
    }
    if (assertion.name) user.display_name = assertion.name;
    if (assertion.picture) user.photo_url = assertion.picture;
    user.email_verified = true;
}

Result<User> link_to_signed_in_user(Transaction& transaction, OperationRequest& request,
                                    const Assertion& assertion, const std::string& id_token) {
    auto user = TRY(verify_id_token(transaction, request.auth, request.project, id_token)).user;
    if (user.links.size() >= links_max)
        return firebase_error("INVALID_ARGUMENT : at most 20 providers can be linked");
    if (!assertion.email) return user;
    auto holder = TRY(find_user_by_email(transaction, request.project.id, *assertion.email));
    if (holder && holder->uid != user.uid) return firebase_error("EMAIL_EXISTS");
    if (!user.email) {
        user.email = assertion.email;
        user.email_verified = assertion.email_verified;
    }
    if (user.email == assertion.email && assertion.email_verified) user.email_verified = true;
    return user;
}

}  // namespace

OperationResult sign_in_with_idp(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto request_uri = fields.text("requestUri");
    auto post_body = fields.text("postBody", 3 * max_token_bytes);
    auto id_token = fields.text("idToken", max_token_bytes);
    TRY(fields.check());
    if (!request_uri) return firebase_error("MISSING_REQUEST_URI");
    if (!is_http_url(*request_uri)) return firebase_error("INVALID_REQUEST_URI");
    auto credential = TRY(parse_credential(post_body.value_or("")));
    auto assertion = TRY(parse_assertion(credential));
    auto response = to_json(credential, assertion);

    auto transaction = TRY(request.auth.store->write());
    ProviderKey key{credential.provider_id, assertion.raw_id};
    auto user = TRY(find_user_by_provider(transaction, request.project.id, key));
    bool is_new = false;
    if (id_token) {
        if (user) return firebase_error("FEDERATED_USER_ID_ALREADY_LINKED");
        user = TRY(link_to_signed_in_user(transaction, request, assertion, *id_token));
    } else if (!user) {
        if (assertion.email)
            user = TRY(find_user_by_email(transaction, request.project.id, *assertion.email));
        if (user && !assertion.email_verified) {
            response["needConfirmation"] = true;
            response["localId"] = user->uid;
            return response;
        }
        is_new = !user;
        if (is_new) {
            user = User{.uid = random_uid(request.auth.random), .created_ms = now_milliseconds(request.auth)};
            user->email = assertion.email;
            user->email_verified = assertion.email && assertion.email_verified;
            user->display_name = assertion.name;
            user->photo_url = assertion.picture;
        } else {
            if (!user->email_verified) TRY(revoke_refresh_tokens(transaction, request.project.id, user->uid));
            take_over_account(*user, assertion, now_seconds(request.auth));
        }
    }
    if (user->disabled) return firebase_error("USER_DISABLED");
    set_link(*user, credential, assertion);
    user->last_login_ms = now_milliseconds(request.auth);
    response["localId"] = user->uid;
    response["isNewUser"] = is_new;
    if (user->email == assertion.email) response["emailVerified"] = user->email_verified;
    SignIn sign_in{.provider = credential.provider_id, .auth_time_s = now_seconds(request.auth)};
    for (auto& [name, value] :
         TRY(issue_tokens(transaction, request.auth, request.project, *user, sign_in))) {
        response[name] = std::move(value);
    }
    TRY(transaction.commit());
    return response;
}

}  // namespace integreat::firebase
