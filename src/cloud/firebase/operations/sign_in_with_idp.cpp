// SPDX-License-Identifier: Apache-2.0
// Sign-in with what another provider says of a person. Google's keys are not here and no network is needed:
// as in Google's emulator an id_token is believed unverified, as a JWT or as plain JSON
// ({"sub":"g-123","email":"…","email_verified":true}), so that a test can be anybody.
#include <boost/json/serialize.hpp>

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "crypto/jwt.h"
#include "http/routing/router.h"
#include "json/value/parse.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

struct Credential {
    std::string provider_id;
    std::string id_token;
    std::string access_token;
};

// What the provider says of the person.
struct Assertion {
    std::string raw_id;
    std::optional<std::string> email, name, picture;
    bool email_verified = false;
    json::object claims;
};

Error wrong_response(const std::string& why) {
    return refusal("INVALID_IDP_RESPONSE : " + why);
}

Result<Credential> read_credential(const std::string& post_body) {
    std::string_view form = post_body;
    if (form.starts_with('&')) form.remove_prefix(1);  // The JS SDK begins with one.
    auto pairs = http::parse_query(form);
    if (!pairs) return wrong_response("postBody is not a form");
    Credential credential;
    for (const auto& [name, value] : *pairs) {
        if (name == "providerId") credential.provider_id = value;
        if (name == "id_token") credential.id_token = value;
        if (name == "access_token") credential.access_token = value;
    }
    auto permitted = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    };
    const auto& id = credential.provider_id;
    bool reserved = id == "password" || id == "phone" || id == "anonymous" || id == "custom" || id == "email";
    if (id.empty() || id.size() > 100 || reserved || !std::all_of(id.begin(), id.end(), permitted)) {
        return refusal("INVALID_CREDENTIAL_OR_PROVIDER_ID : Invalid IdP response/credential: providerId=" +
                       id.substr(0, 100));
    }
    return credential;
}

Result<json::object> read_claims(const Credential& credential) {
    const auto& text = credential.id_token.empty() ? credential.access_token : credential.id_token;
    if (text.empty()) return wrong_response("postBody needs an id_token");
    if (text.size() > token_bytes_max) return wrong_response("the id_token is too long");
    if (text.starts_with('{')) {
        auto claims = integreat::json::parse_object(text);
        if (!claims) return wrong_response("Unable to parse id_token: " + claims.error().message);
        return claims;
    }
    auto jwt = crypto::parse_jwt(text, {.bytes_max = token_bytes_max});
    if (!jwt) {
        return wrong_response(
            "Unable to parse id_token: it must be a JWT or strict JSON such as"
            " {\"sub\":\"g-123\",\"email\":\"…\",\"email_verified\":true}; access tokens of real"
            " providers cannot be checked here");
    }
    return std::move(jwt->payload);
}

Result<Assertion> read_assertion(const Credential& credential) {
    auto claims = TRY(read_claims(credential));
    Fields fields(claims);
    auto raw_id = fields.text("sub", uid_bytes_max);
    auto email = fields.text("email");
    Assertion assertion{.raw_id = raw_id.value_or(""),
                        .email = email,
                        .name = fields.text("name", name_bytes_max),
                        .picture = fields.text("picture"),
                        .email_verified = fields.flag("email_verified").value_or(false),
                        .claims = claims};
    if (auto checked = fields.check(); !checked) return wrong_response(checked.error().message);
    if (assertion.raw_id.empty()) return wrong_response("id_token missing required field sub");
    if (email) assertion.email = TRY(check_email(*email));
    return assertion;
}

std::string raw_user_info(const Credential& credential, const Assertion& assertion) {
    if (credential.provider_id != "google.com") return json::serialize(assertion.claims);
    json::object shown{{"id", assertion.raw_id},
                       {"verified_email", assertion.email_verified},
                       {"granted_scopes",
                        "openid https://www.googleapis.com/auth/userinfo.profile"
                        " https://www.googleapis.com/auth/userinfo.email"}};
    if (assertion.name) shown["name"] = *assertion.name;
    if (assertion.email) shown["email"] = *assertion.email;
    if (assertion.picture) shown["picture"] = *assertion.picture;
    return json::serialize(shown);
}

json::object describe(const Credential& credential, const Assertion& assertion) {
    json::object answer{{"kind", "identitytoolkit#VerifyAssertionResponse"},
                        {"context", ""},
                        {"providerId", credential.provider_id},
                        {"emailVerified", assertion.email_verified},
                        {"rawUserInfo", raw_user_info(credential, assertion)}};
    answer["federatedId"] = credential.provider_id == "google.com"
                                ? "https://accounts.google.com/" + assertion.raw_id
                                : assertion.raw_id;
    if (assertion.email) answer["email"] = *assertion.email;
    for (const char* name : {"displayName", "fullName"}) {
        if (assertion.name) answer[name] = *assertion.name;
    }
    if (assertion.picture) answer["photoUrl"] = *assertion.picture;
    if (!credential.id_token.empty()) answer["oauthIdToken"] = credential.id_token;
    // The JS SDK makes a credential of it; there is no such token of a provider that was never asked.
    answer["oauthAccessToken"] = credential.access_token.empty()
                                     ? "local-" + credential.provider_id + "-access-token"
                                     : credential.access_token;
    return answer;
}

void put_link(User& user, const Credential& credential, const Assertion& assertion) {
    std::erase_if(user.links,
                  [&](const ProviderLink& link) { return link.provider_id == credential.provider_id; });
    user.links.push_back({.provider_id = credential.provider_id,
                          .raw_id = assertion.raw_id,
                          .email = assertion.email,
                          .display_name = assertion.name,
                          .photo_url = assertion.picture});
}

// A verified address of the provider is the user's own. If nobody had proved it before, whoever signed up
// with it may not be its owner: their password, phone and other providers go.
void adopt(User& user, const Assertion& assertion, std::int64_t now_s) {
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

Result<User> link_to_bearer(Transaction& transaction, Ask& ask, const Assertion& assertion,
                            const std::string& id_token) {
    auto user = TRY(verify_id_token(transaction, ask.auth, ask.project, id_token)).user;
    if (user.links.size() >= links_max)
        return refusal("INVALID_ARGUMENT : at most 20 providers can be linked");
    if (!assertion.email) return user;
    auto holder = TRY(find_user_by_email(transaction, ask.project.id, *assertion.email));
    if (holder && holder->uid != user.uid) return refusal("EMAIL_EXISTS");
    if (!user.email) {
        user.email = assertion.email;
        user.email_verified = assertion.email_verified;
    }
    if (user.email == assertion.email && assertion.email_verified) user.email_verified = true;
    return user;
}

}  // namespace

Answer sign_in_with_idp(Ask& ask) {
    Fields fields(ask.body);
    auto request_uri = fields.text("requestUri");
    auto post_body = fields.text("postBody", 3 * token_bytes_max);
    auto id_token = fields.text("idToken", token_bytes_max);
    TRY(fields.check());
    if (!request_uri) return refusal("MISSING_REQUEST_URI");
    if (!is_http_url(*request_uri)) return refusal("INVALID_REQUEST_URI");
    auto credential = TRY(read_credential(post_body.value_or("")));
    auto assertion = TRY(read_assertion(credential));
    auto answer = describe(credential, assertion);

    auto transaction = TRY(ask.auth.store->write());
    ProviderKey key{credential.provider_id, assertion.raw_id};
    auto user = TRY(find_user_by_provider(transaction, ask.project.id, key));
    bool is_new = false;
    if (id_token) {
        if (user) return refusal("FEDERATED_USER_ID_ALREADY_LINKED");
        user = TRY(link_to_bearer(transaction, ask, assertion, *id_token));
    } else if (!user) {
        if (assertion.email) user = TRY(find_user_by_email(transaction, ask.project.id, *assertion.email));
        if (user && !assertion.email_verified) {
            answer["needConfirmation"] = true;
            answer["localId"] = user->uid;
            return answer;
        }
        is_new = !user;
        if (is_new) {
            user = User{.uid = random_uid(ask.auth.random), .created_ms = now_milliseconds(ask.auth)};
            user->email = assertion.email;
            user->email_verified = assertion.email && assertion.email_verified;
            user->display_name = assertion.name;
            user->photo_url = assertion.picture;
        } else {
            if (!user->email_verified) TRY(revoke_refresh_tokens(transaction, ask.project.id, user->uid));
            adopt(*user, assertion, now_seconds(ask.auth));
        }
    }
    if (user->disabled) return refusal("USER_DISABLED");
    put_link(*user, credential, assertion);
    user->last_login_ms = now_milliseconds(ask.auth);
    answer["localId"] = user->uid;
    answer["isNewUser"] = is_new;
    if (user->email == assertion.email) answer["emailVerified"] = user->email_verified;
    SignIn sign_in{.provider = credential.provider_id, .auth_time_s = now_seconds(ask.auth)};
    for (auto& [name, value] : TRY(issue_tokens(transaction, ask.auth, ask.project, *user, sign_in))) {
        answer[name] = std::move(value);
    }
    TRY(transaction.commit());
    return answer;
}

}  // namespace integreat::firebase
