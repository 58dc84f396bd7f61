// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/array.hpp>

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "crypto/ids.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

void set_if(json::object& object, std::string_view name, const std::optional<std::string>& value) {
    if (value) object[name] = *value;
}

bool has_password_provider(const User& user) {
    return user.password || (user.email && user.email_link);
}

}  // namespace

// "password" is listed whenever there is one: clients take a user without any provider for anonymous.
json::array provider_user_info(const User& user) {
    json::array providers;
    if (has_password_provider(user)) {
        json::object provider{{"providerId", "password"}};
        // One by one: the reference that operator[] gives ends with the next insertion.
        for (const char* name : {"email", "federatedId", "rawId"})
            set_if(provider, name, user.email);
        set_if(provider, "displayName", user.display_name);
        set_if(provider, "photoUrl", user.photo_url);
        providers.push_back(std::move(provider));
    }
    if (user.phone_number) {
        providers.push_back(
            {{"providerId", "phone"}, {"rawId", *user.phone_number}, {"phoneNumber", *user.phone_number}});
    }
    for (const auto& link : user.links) {
        json::object provider{
            {"providerId", link.provider_id}, {"rawId", link.raw_id}, {"federatedId", link.raw_id}};
        set_if(provider, "email", link.email);
        set_if(provider, "displayName", link.display_name);
        set_if(provider, "photoUrl", link.photo_url);
        providers.push_back(std::move(provider));
    }
    return providers;
}

json::object to_json(const User& user) {
    json::object shown{{"localId", user.uid},
                       {"emailVerified", user.email_verified},
                       {"disabled", user.disabled},
                       {"createdAt", std::to_string(user.created_ms)},
                       {"validSince", std::to_string(user.valid_since_s)},
                       {"providerUserInfo", provider_user_info(user)}};
    set_if(shown, "email", user.email);
    set_if(shown, "initialEmail", user.initial_email);
    set_if(shown, "displayName", user.display_name);
    set_if(shown, "photoUrl", user.photo_url);
    set_if(shown, "phoneNumber", user.phone_number);
    if (user.email_link) shown["emailLinkSignin"] = true;
    if (user.custom_auth) shown["customAuth"] = true;
    if (user.claims != "{}") shown["customAttributes"] = user.claims;
    if (user.last_login_ms) shown["lastLoginAt"] = std::to_string(*user.last_login_ms);
    if (user.last_refresh_ms) {
        shown["lastRefreshAt"] = format_rfc3339(Time(std::chrono::milliseconds(*user.last_refresh_ms)));
    }
    if (user.password) shown["passwordUpdatedAt"] = user.password->updated_ms;
    return shown;
}

namespace {

Result<json::array> lookup_for_admin(Transaction& transaction, Ask& ask) {
    Fields fields(ask.body);
    auto uids = fields.texts("localId", lookup_count_max);
    auto emails = fields.texts("email", lookup_count_max);
    auto phones = fields.texts("phoneNumber", lookup_count_max);
    auto federated = fields.objects("federatedUserId", lookup_count_max);
    TRY(fields.check());
    std::map<std::string, User> found;
    auto add = [&](std::optional<User> user) {
        if (user) found.emplace(user->uid, *user);
    };
    for (const auto& uid : uids)
        add(TRY(find_user(transaction, ask.project.id, uid)));
    for (const auto& written : emails) {
        auto email = TRY(check_email(written));
        add(TRY(find_user_by_email(transaction, ask.project.id, email)));
    }
    for (const auto& phone : phones)
        add(TRY(find_user_by_phone(transaction, ask.project.id, phone)));
    for (const auto* one : federated) {
        Fields identity(*one);
        auto provider_id = identity.text("providerId").value_or("");
        auto raw_id = identity.text("rawId").value_or("");
        TRY(identity.check());
        add(TRY(find_user_by_provider(transaction, ask.project.id, {provider_id, raw_id})));
    }
    json::array users;
    for (const auto& [uid, user] : found)
        users.push_back(to_json(user));
    return users;
}

}  // namespace

Answer lookup(Ask& ask) {
    auto transaction = TRY(ask.auth.store->read());
    json::object answer{{"kind", "identitytoolkit#GetAccountInfoResponse"}};
    if (ask.privileged) {
        // firebase-admin wants no "users" at all when nobody was found.
        auto users = TRY(lookup_for_admin(transaction, ask));
        if (!users.empty()) answer["users"] = std::move(users);
        return answer;
    }
    Fields fields(ask.body);
    auto id_token = fields.text("idToken", token_bytes_max);
    TRY(fields.check());
    if (!id_token) return refusal("MISSING_ID_TOKEN");
    auto bearer = TRY(verify_id_token(transaction, ask.auth, ask.project, *id_token));
    answer["users"] = json::array{to_json(bearer.user)};
    return answer;
}

Answer delete_account(Ask& ask) {
    Fields fields(ask.body);
    auto id_token = fields.text("idToken", token_bytes_max);
    auto uid = fields.text("localId", uid_bytes_max);
    TRY(fields.check());
    auto transaction = TRY(ask.auth.store->write());
    if (ask.privileged) {
        if (!uid) return refusal("MISSING_LOCAL_ID");
        if (!TRY(find_user(transaction, ask.project.id, *uid))) return refusal("USER_NOT_FOUND");
    } else {
        if (!id_token) return refusal("MISSING_ID_TOKEN");
        uid = TRY(verify_id_token(transaction, ask.auth, ask.project, *id_token)).user.uid;
    }
    TRY(delete_user(transaction, ask.project.id, *uid));
    TRY(transaction.commit());
    return json::object{{"kind", "identitytoolkit#DeleteAccountResponse"}};
}

Answer create_auth_uri(Ask& ask) {
    Fields fields(ask.body);
    auto identifier = fields.text("identifier");
    auto continue_uri = fields.text("continueUri");
    auto provider_id = fields.text("providerId");
    auto session = fields.text("sessionId");
    TRY(fields.check());
    if (provider_id)
        return refusal("OPERATION_NOT_ALLOWED : sign-in pages of other providers are not offered");
    if (!identifier) return refusal("MISSING_IDENTIFIER");
    if (!continue_uri) return refusal("MISSING_CONTINUE_URI");
    if (!is_http_url(*continue_uri)) return refusal("INVALID_CONTINUE_URI");
    auto email = check_email(*identifier);
    if (!email) return refusal("INVALID_IDENTIFIER");
    json::object answer{{"kind", "identitytoolkit#CreateAuthUriResponse"},
                        {"sessionId", session ? *session : crypto::random_token(ask.auth.random, 20)}};
    if (ask.project.sign_in.email_privacy) return answer;
    auto transaction = TRY(ask.auth.store->read());
    auto user = TRY(find_user_by_email(transaction, ask.project.id, *email));
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
    answer["registered"] = user.has_value();
    answer["allProviders"] = std::move(providers);
    answer["signinMethods"] = std::move(methods);
    return answer;
}

Answer create_session_cookie(Ask& ask) {
    Fields fields(ask.body);
    auto id_token = fields.text("idToken", token_bytes_max);
    auto valid = fields.number("validDuration").value_or(session_cookie_seconds_max);
    TRY(fields.check());
    if (!id_token) return refusal("MISSING_ID_TOKEN");
    if (valid < session_cookie_seconds_min || valid > session_cookie_seconds_max)
        return refusal("INVALID_DURATION");
    auto transaction = TRY(ask.auth.store->read());
    auto bearer = TRY(verify_id_token(transaction, ask.auth, ask.project, *id_token));
    auto cookie = TRY(make_session_cookie(transaction, ask.auth, ask.project, bearer, valid));
    return json::object{{"sessionCookie", cookie}};
}

Answer password_policy(Ask&) {
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

Answer get_project(Ask& ask) {
    return json::object{{"projectId", ask.project.number},
                        {"authorizedDomains", json::array{"localhost", "127.0.0.1"}}};
}

}  // namespace integreat::firebase
