// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/array.hpp>

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "crypto/ids.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

void set_optional(json::object& object, std::string_view name, const std::optional<std::string>& value) {
    if (value) object[name] = *value;
}

bool has_password_provider(const User& user) {
    return user.password || (user.email && user.email_link);
}

}  // namespace

// "password" is always listed if set, because clients treat a user without any provider as anonymous.
json::array provider_user_info(const User& user) {
    json::array providers;
    if (has_password_provider(user)) {
        json::object provider{{"providerId", "password"}};
        // One at a time: the next insertion invalidates the reference returned by operator[].
        for (const char* name : {"email", "federatedId", "rawId"})
            set_optional(provider, name, user.email);
        set_optional(provider, "displayName", user.display_name);
        set_optional(provider, "photoUrl", user.photo_url);
        providers.push_back(std::move(provider));
    }
    if (user.phone_number) {
        providers.push_back(
            {{"providerId", "phone"}, {"rawId", *user.phone_number}, {"phoneNumber", *user.phone_number}});
    }
    for (const auto& link : user.links) {
        json::object provider{
            {"providerId", link.provider_id}, {"rawId", link.raw_id}, {"federatedId", link.raw_id}};
        set_optional(provider, "email", link.email);
        set_optional(provider, "displayName", link.display_name);
        set_optional(provider, "photoUrl", link.photo_url);
        providers.push_back(std::move(provider));
    }
    return providers;
}

json::object to_json(const User& user) {
    json::object json{{"localId", user.uid},
                      {"emailVerified", user.email_verified},
                      {"disabled", user.disabled},
                      {"createdAt", std::to_string(user.created_ms)},
                      {"validSince", std::to_string(user.valid_since_s)},
                      {"providerUserInfo", provider_user_info(user)}};
    set_optional(json, "email", user.email);
    set_optional(json, "initialEmail", user.initial_email);
    set_optional(json, "displayName", user.display_name);
    set_optional(json, "photoUrl", user.photo_url);
    set_optional(json, "phoneNumber", user.phone_number);
    if (user.email_link) json["emailLinkSignin"] = true;
    if (user.custom_auth) json["customAuth"] = true;
    if (user.claims != "{}") json["customAttributes"] = user.claims;
    if (user.last_login_ms) json["lastLoginAt"] = std::to_string(*user.last_login_ms);
    if (user.last_refresh_ms) {
        json["lastRefreshAt"] = format_rfc3339(Time(std::chrono::milliseconds(*user.last_refresh_ms)));
    }
    if (user.password) json["passwordUpdatedAt"] = user.password->updated_ms;
    return json;
}

namespace {

Result<json::array> lookup_for_admin(Transaction& transaction, OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto uids = fields.texts("localId", lookup_count_max);
    auto emails = fields.texts("email", lookup_count_max);
    auto phones = fields.texts("phoneNumber", lookup_count_max);
    auto federated = fields.objects("federatedUserId", lookup_count_max);
    TRY(fields.check());
    std::map<std::string, User> found_users;
    auto add = [&](std::optional<User> user) {
        if (user) found_users.emplace(user->uid, *user);
    };
    for (const auto& uid : uids)
        add(TRY(find_user(transaction, request.project.id, uid)));
    for (const auto& text : emails) {
        auto email = TRY(check_email(text));
        add(TRY(find_user_by_email(transaction, request.project.id, email)));
    }
    for (const auto& phone : phones)
        add(TRY(find_user_by_phone(transaction, request.project.id, phone)));
    for (const auto* object : federated) {
        JsonFieldReader identity(*object);
        auto provider_id = identity.text("providerId").value_or("");
        auto raw_id = identity.text("rawId").value_or("");
        TRY(identity.check());
        add(TRY(find_user_by_provider(transaction, request.project.id, {provider_id, raw_id})));
    }
    json::array users;
    for (const auto& [uid, user] : found_users)
        users.push_back(to_json(user));
    return users;
}

}  // namespace

OperationResult lookup(OperationRequest& request) {
    auto transaction = TRY(request.auth.store->read());
    json::object response{{"kind", "identitytoolkit#GetAccountInfoResponse"}};
    if (request.privileged) {
        // firebase-admin expects no "users" member if no user was found.
        auto users = TRY(lookup_for_admin(transaction, request));
        if (!users.empty()) response["users"] = std::move(users);
        return response;
    }
    JsonFieldReader fields(request.body);
    auto id_token = fields.text("idToken", max_token_bytes);
    TRY(fields.check());
    if (!id_token) return firebase_error("MISSING_ID_TOKEN");
    auto verified = TRY(verify_id_token(transaction, request.auth, request.project, *id_token));
    response["users"] = json::array{to_json(verified.user)};
    return response;
}

OperationResult delete_account(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto id_token = fields.text("idToken", max_token_bytes);
    auto uid = fields.text("localId", uid_bytes_max);
    TRY(fields.check());
    auto transaction = TRY(request.auth.store->write());
    if (request.privileged) {
        if (!uid) return firebase_error("MISSING_LOCAL_ID");
        if (!TRY(find_user(transaction, request.project.id, *uid))) return firebase_error("USER_NOT_FOUND");
    } else {
        if (!id_token) return firebase_error("MISSING_ID_TOKEN");
        uid = TRY(verify_id_token(transaction, request.auth, request.project, *id_token)).user.uid;
    }
    TRY(delete_user(transaction, request.project.id, *uid));
    TRY(transaction.commit());
    return json::object{{"kind", "identitytoolkit#DeleteAccountResponse"}};
}

OperationResult create_auth_uri(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto identifier = fields.text("identifier");
    auto continue_uri = fields.text("continueUri");
    auto provider_id = fields.text("providerId");
    auto session = fields.text("sessionId");
    TRY(fields.check());
    if (provider_id)
        return firebase_error("OPERATION_NOT_ALLOWED : sign-in pages of other providers are not offered");
    if (!identifier) return firebase_error("MISSING_IDENTIFIER");
    if (!continue_uri) return firebase_error("MISSING_CONTINUE_URI");
    if (!is_http_url(*continue_uri)) return firebase_error("INVALID_CONTINUE_URI");
    auto email = check_email(*identifier);
    if (!email) return firebase_error("INVALID_IDENTIFIER");
    json::object response{{"kind", "identitytoolkit#CreateAuthUriResponse"},
                          {"sessionId", session ? *session : crypto::random_token(request.auth.random, 20)}};
    if (request.project.sign_in.email_privacy) return response;
    auto transaction = TRY(request.auth.store->read());
    auto user = TRY(find_user_by_email(transaction, request.project.id, *email));
    json::array providers, methods;
    if (user) {
        if (has_password_provider(*user)) providers.emplace_back("password");
        if (user->password) methods.emplace_back("password");
        if (user->email_link) methods.emplace_back("emailLink");
        for (const auto& link : user->links) {
            providers.emplace_back(link.provider_id);
            methods.emplace_back(link.provider_id);
        }
    }
    response["registered"] = user.has_value();
    response["allProviders"] = std::move(providers);
    response["signinMethods"] = std::move(methods);
    return response;
}

OperationResult create_session_cookie(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto id_token = fields.text("idToken", max_token_bytes);
    auto valid = fields.number("validDuration").value_or(session_cookie_seconds_max);
    TRY(fields.check());
    if (!id_token) return firebase_error("MISSING_ID_TOKEN");
    if (valid < session_cookie_seconds_min || valid > session_cookie_seconds_max)
        return firebase_error("INVALID_DURATION");
    auto transaction = TRY(request.auth.store->read());
    auto verified = TRY(verify_id_token(transaction, request.auth, request.project, *id_token));
    auto cookie = TRY(make_session_cookie(transaction, request.auth, request.project, verified, valid));
    return json::object{{"sessionCookie", cookie}};
}

OperationResult password_policy(OperationRequest&) {
    json::array symbols;
    for (char symbol : std::string_view("^$*.[]{}()?\"!@#%&/\\,><':;|_~-+= ")) {
        if (symbol != ' ') symbols.emplace_back(std::string(1, symbol));
    }
    return json::object{
        {"schemaVersion", 1},
        {"enforcementState", "ENFORCE"},
        {"forceUpgradeOnSignin", false},
        {"customStrengthOptions",
         {{"minPasswordLength", password_characters_min}, {"maxPasswordLength", password_bytes_max}}},
        {"allowedNonAlphanumericCharacters", std::move(symbols)}};
}

OperationResult get_project(OperationRequest& request) {
    return json::object{{"projectId", request.project.number},
                        {"authorizedDomains", json::array{"localhost", "127.0.0.1"}}};
}

}  // namespace integreat::firebase
