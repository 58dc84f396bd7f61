// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/array.hpp>

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "cloud/firebase/store/passwords.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

struct UpdateRequest {
    std::optional<std::string> id_token, oob_code, local_id, email, password, display_name, photo_url,
        phone_number;
    std::optional<std::string> claims;
    std::optional<bool> email_verified, disabled;
    std::optional<std::int64_t> valid_since_s, created_ms, last_login_ms;
    std::vector<std::string> delete_attributes, delete_providers;
    const json::object* link = nullptr;
};

Result<UpdateRequest> read_update(Ask& ask) {
    Fields fields(ask.body);
    UpdateRequest request{.id_token = fields.text("idToken", token_bytes_max),
                          .oob_code = fields.text("oobCode"),
                          .local_id = fields.text("localId", uid_bytes_max),
                          .email = fields.text("email"),
                          .password = fields.text("password", 2 * password_bytes_max),
                          .display_name = fields.text("displayName", name_bytes_max),
                          .photo_url = fields.text("photoUrl"),
                          .phone_number = fields.text("phoneNumber"),
                          .claims = fields.text("customAttributes", 4 * claims_bytes_max),
                          .email_verified = fields.flag("emailVerified"),
                          .disabled = fields.flag("disableUser"),
                          .valid_since_s = fields.number("validSince"),
                          .created_ms = fields.number("createdAt"),
                          .last_login_ms = fields.number("lastLoginAt"),
                          .delete_attributes = fields.texts("deleteAttribute", 20),
                          .delete_providers = fields.texts("deleteProvider", links_max),
                          .link = fields.object("linkProviderUserInfo")};
    TRY(fields.check());
    if (!ask.privileged) {
        if (!request.id_token && !request.oob_code) {
            return refusal("INVALID_REQ_TYPE : Unsupported request parameters.");
        }
        if (request.claims) return refusal("INSUFFICIENT_PERMISSION");
        if (request.disabled) return refusal("OPERATION_NOT_ALLOWED");
    } else if (!request.local_id) {
        return refusal("MISSING_LOCAL_ID");
    }
    if (request.email) request.email = TRY(check_email(*request.email));
    if (request.claims && request.claims->empty()) request.claims = "{}";  // How firebase-admin clears them.
    if (request.claims) TRY(check_claims(std::string_view(*request.claims)));
    if (request.phone_number) TRY(check_phone_number(*request.phone_number));
    return request;
}

// An empty text clears: it is how the JS SDK removes a photo.
void set_or_clear(std::optional<std::string>& target, const std::optional<std::string>& text) {
    if (!text) return;
    target = text->empty() ? std::nullopt : text;
}

void remove_password_provider(User& user) {
    user.email.reset();
    user.email_verified = false;
    user.email_link = false;
    user.password.reset();
}

Result<> delete_parts(User& user, const UpdateRequest& request) {
    for (const auto& attribute : request.delete_attributes) {
        if (attribute == "DISPLAY_NAME") {
            user.display_name.reset();
        } else if (attribute == "PHOTO_URL") {
            user.photo_url.reset();
        } else if (attribute == "PASSWORD") {
            user.password.reset();
        } else if (attribute == "EMAIL") {
            user.email.reset();
            user.email_verified = false;
            user.email_link = false;
        } else {
            return refusal("INVALID_ARGUMENT : deleteAttribute does not know " + attribute.substr(0, 64));
        }
    }
    for (const auto& provider : request.delete_providers) {
        if (provider == "password") remove_password_provider(user);
        if (provider == "phone") user.phone_number.reset();
        std::erase_if(user.links, [&](const ProviderLink& link) { return link.provider_id == provider; });
    }
    return {};
}

Result<> change_for_admin(Transaction& transaction, Ask& ask, const UpdateRequest& request, User& user) {
    if (request.disabled) user.disabled = *request.disabled;
    if (request.email_verified) user.email_verified = *request.email_verified;
    if (request.claims) user.claims = *request.claims;
    if (request.created_ms) user.created_ms = *request.created_ms;
    if (request.last_login_ms) user.last_login_ms = request.last_login_ms;
    if (request.valid_since_s) {
        user.valid_since_s = *request.valid_since_s;
        TRY(revoke_refresh_tokens(transaction, ask.project.id, user.uid));
    }
    if (request.phone_number && request.phone_number != user.phone_number) {
        if (TRY(find_user_by_phone(transaction, ask.project.id, *request.phone_number))) {
            return refusal("PHONE_NUMBER_EXISTS");
        }
        user.phone_number = request.phone_number;
    }
    if (!request.link) return {};
    Fields fields(*request.link);
    ProviderLink link{.provider_id = fields.text("providerId", 100).value_or(""),
                      .raw_id = fields.text("rawId", uid_bytes_max).value_or(""),
                      .email = fields.text("email"),
                      .display_name = fields.text("displayName", name_bytes_max),
                      .photo_url = fields.text("photoUrl")};
    TRY(fields.check());
    if (link.provider_id.empty()) return refusal("MISSING_PROVIDER_ID");
    if (link.raw_id.empty()) return refusal("MISSING_RAW_ID");
    auto holder = TRY(find_user_by_provider(transaction, ask.project.id, {link.provider_id, link.raw_id}));
    if (holder && holder->uid != user.uid) return refusal("FEDERATED_USER_ID_ALREADY_LINKED");
    std::erase_if(user.links,
                  [&](const ProviderLink& known) { return known.provider_id == link.provider_id; });
    if (user.links.size() >= links_max)
        return refusal("INVALID_ARGUMENT : at most 20 providers can be linked");
    user.links.push_back(link);
    return {};
}

Result<> change_email(Transaction& transaction, Ask& ask, const std::string& email, User& user) {
    TRY(refuse_taken_email(transaction, ask.project, email));
    if (user.email && !user.initial_email) user.initial_email = user.email;
    auto previous = std::exchange(user.email, email);
    user.email_verified = false;
    user.valid_since_s = now_seconds(ask.auth);
    if (ask.privileged || !previous) return {};
    TRY(make_oob_code(transaction, ask, {.kind = "RECOVER_EMAIL", .email = *user.initial_email}));
    return {};
}

json::object describe(const User& user) {
    json::object answer{{"kind", "identitytoolkit#SetAccountInfoResponse"},
                        {"localId", user.uid},
                        {"emailVerified", user.email_verified},
                        {"providerUserInfo", provider_user_info(user)}};
    if (user.email) answer["email"] = *user.email;
    if (user.display_name) answer["displayName"] = *user.display_name;
    if (user.photo_url) answer["photoUrl"] = *user.photo_url;
    return answer;
}

Answer update_by_code(Ask& ask, const std::string& code) {
    auto transaction = TRY(ask.auth.store->write());
    auto user = TRY(apply_oob_code(transaction, ask.auth, ask.project, code));
    TRY(transaction.commit());
    return describe(user);
}

}  // namespace

Answer update_account(Ask& ask) {
    auto request = TRY(read_update(ask));
    if (!ask.privileged && request.oob_code) return update_by_code(ask, *request.oob_code);
    std::optional<PasswordHash> password;
    if (request.password) {
        password = TRY(hash_password(ask.auth.random, *request.password, now_milliseconds(ask.auth)));
    }

    auto transaction = TRY(ask.auth.store->write());
    std::optional<User> user;
    std::string provider;
    if (ask.privileged) {
        user = TRY(find_user(transaction, ask.project.id, *request.local_id));
        if (!user) return refusal("USER_NOT_FOUND");
    } else {
        auto bearer = TRY(verify_id_token(transaction, ask.auth, ask.project, *request.id_token));
        user = bearer.user;
        provider = bearer.provider;
    }
    bool new_session = false;
    if (request.email && request.email != user->email) {
        TRY(change_email(transaction, ask, *request.email, *user));
        new_session = true;
    }
    if (password) {
        user->password = password;
        user->valid_since_s = now_seconds(ask.auth);
        provider = "password";
        new_session = true;
    }
    set_or_clear(user->display_name, request.display_name);
    set_or_clear(user->photo_url, request.photo_url);
    if (ask.privileged) TRY(change_for_admin(transaction, ask, request, *user));
    TRY(delete_parts(*user, request));
    if (new_session) TRY(revoke_refresh_tokens(transaction, ask.project.id, user->uid));
    TRY(save_user(transaction, ask.project.id, *user));
    auto answer = describe(*user);
    if (request.email) answer["newEmail"] = *request.email;
    if (new_session && !ask.privileged) {
        SignIn sign_in{.provider = provider, .auth_time_s = now_seconds(ask.auth)};
        for (auto& [name, value] : TRY(issue_tokens(transaction, ask.auth, ask.project, *user, sign_in))) {
            answer[name] = std::move(value);
        }
    }
    TRY(transaction.commit());
    return answer;
}

}  // namespace integreat::firebase
