// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/array.hpp>

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "cloud/firebase/store/passwords.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

struct UpdateInput {
    std::optional<std::string> id_token, oob_code, local_id, email, password, display_name, photo_url,
        phone_number;
    std::optional<std::string> claims;
    std::optional<bool> email_verified, disabled;
    std::optional<std::int64_t> valid_since_s, created_ms, last_login_ms;
    std::vector<std::string> delete_attributes, delete_providers;
    const json::object* link = nullptr;
};

Result<UpdateInput> parse_update(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    UpdateInput input{.id_token = fields.text("idToken", max_token_bytes),
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
    if (!request.privileged) {
        if (!input.id_token && !input.oob_code) {
            return firebase_error("INVALID_REQ_TYPE : Unsupported request parameters.");
        }
        if (input.claims) return firebase_error("INSUFFICIENT_PERMISSION");
        if (input.disabled) return firebase_error("OPERATION_NOT_ALLOWED");
    } else if (!input.local_id) {
        return firebase_error("MISSING_LOCAL_ID");
    }
    if (input.email) input.email = TRY(check_email(*input.email));
    if (input.claims && input.claims->empty()) input.claims = "{}";  // firebase-admin clears them this way.
    if (input.claims) TRY(check_claims(std::string_view(*input.claims)));
    if (input.phone_number) TRY(check_phone_number(*input.phone_number));
    return input;
}

// Sets a member, or clears it if the text is empty: the JS SDK removes a photo this way.
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

Result<> delete_attributes(User& user, const UpdateInput& input) {
    for (const auto& attribute : input.delete_attributes) {
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
            return firebase_error("INVALID_ARGUMENT : unknown deleteAttribute " + attribute.substr(0, 64));
        }
    }
    for (const auto& provider : input.delete_providers) {
        if (provider == "password") remove_password_provider(user);
        if (provider == "phone") user.phone_number.reset();
        std::erase_if(user.links, [&](const ProviderLink& link) { return link.provider_id == provider; });
    }
    return {};
}

Result<> apply_admin_changes(Transaction& transaction, OperationRequest& request, const UpdateInput& input,
                             User& user) {
    if (input.disabled) user.disabled = *input.disabled;
    if (input.email_verified) user.email_verified = *input.email_verified;
    if (input.claims) user.claims = *input.claims;
    if (input.created_ms) user.created_ms = *input.created_ms;
    if (input.last_login_ms) user.last_login_ms = input.last_login_ms;
    if (input.valid_since_s) {
        user.valid_since_s = *input.valid_since_s;
        TRY(revoke_refresh_tokens(transaction, request.project.id, user.uid));
    }
    if (input.phone_number && input.phone_number != user.phone_number) {
        if (TRY(find_user_by_phone(transaction, request.project.id, *input.phone_number))) {
            return firebase_error("PHONE_NUMBER_EXISTS");
        }
        user.phone_number = input.phone_number;
    }
    if (!input.link) return {};
    JsonFieldReader fields(*input.link);
    ProviderLink link{.provider_id = fields.text("providerId", 100).value_or(""),
                      .raw_id = fields.text("rawId", uid_bytes_max).value_or(""),
                      .email = fields.text("email"),
                      .display_name = fields.text("displayName", name_bytes_max),
                      .photo_url = fields.text("photoUrl")};
    TRY(fields.check());
    if (link.provider_id.empty()) return firebase_error("MISSING_PROVIDER_ID");
    if (link.raw_id.empty()) return firebase_error("MISSING_RAW_ID");
    auto holder =
        TRY(find_user_by_provider(transaction, request.project.id, {link.provider_id, link.raw_id}));
    if (holder && holder->uid != user.uid) return firebase_error("FEDERATED_USER_ID_ALREADY_LINKED");
    std::erase_if(user.links,
                  [&](const ProviderLink& existing) { return existing.provider_id == link.provider_id; });
    if (user.links.size() >= links_max)
        return firebase_error("INVALID_ARGUMENT : at most 20 providers can be linked");
    user.links.push_back(link);
    return {};
}

Result<> change_email(Transaction& transaction, OperationRequest& request, const std::string& email,
                      User& user) {
    TRY(require_unused_email(transaction, request.project, email));
    if (user.email && !user.initial_email) user.initial_email = user.email;
    auto previous = std::exchange(user.email, email);
    user.email_verified = false;
    user.valid_since_s = now_seconds(request.auth);
    if (request.privileged || !previous) return {};
    TRY(make_oob_code(transaction, request, {.kind = "RECOVER_EMAIL", .email = *user.initial_email}));
    return {};
}

json::object to_update_response(const User& user) {
    json::object response{{"kind", "identitytoolkit#SetAccountInfoResponse"},
                          {"localId", user.uid},
                          {"emailVerified", user.email_verified},
                          {"providerUserInfo", provider_user_info(user)}};
    if (user.email) response["email"] = *user.email;
    if (user.display_name) response["displayName"] = *user.display_name;
    if (user.photo_url) response["photoUrl"] = *user.photo_url;
    return response;
}

OperationResult update_with_code(OperationRequest& request, const std::string& code) {
    auto transaction = TRY(request.auth.store->write());
    auto user = TRY(apply_oob_code(transaction, request.auth, request.project, code));
    TRY(transaction.commit());
    return to_update_response(user);
}

}  // namespace

OperationResult update_account(OperationRequest& request) {
    auto input = TRY(parse_update(request));
    if (!request.privileged && input.oob_code) return update_with_code(request, *input.oob_code);
    std::optional<PasswordHash> password;
    if (input.password) {
        password = TRY(hash_password(request.auth.random, *input.password, now_milliseconds(request.auth)));
    }

    auto transaction = TRY(request.auth.store->write());
    std::optional<User> user;
    std::string provider;
    if (request.privileged) {
        user = TRY(find_user(transaction, request.project.id, *input.local_id));
        if (!user) return firebase_error("USER_NOT_FOUND");
    } else {
        auto verified = TRY(verify_id_token(transaction, request.auth, request.project, *input.id_token));
        user = verified.user;
        provider = verified.provider;
    }
    bool new_session = false;
    if (input.email && input.email != user->email) {
        TRY(change_email(transaction, request, *input.email, *user));
        new_session = true;
    }
    if (password) {
        user->password = password;
        user->valid_since_s = now_seconds(request.auth);
        provider = "password";
        new_session = true;
    }
    set_or_clear(user->display_name, input.display_name);
    set_or_clear(user->photo_url, input.photo_url);
    if (request.privileged) TRY(apply_admin_changes(transaction, request, input, *user));
    TRY(delete_attributes(*user, input));
    if (new_session) TRY(revoke_refresh_tokens(transaction, request.project.id, user->uid));
    TRY(save_user(transaction, request.project.id, *user));
    auto response = to_update_response(*user);
    if (input.email) response["newEmail"] = *input.email;
    if (new_session && !request.privileged) {
        SignIn sign_in{.provider = provider, .auth_time_s = now_seconds(request.auth)};
        for (auto& [name, value] :
             TRY(issue_tokens(transaction, request.auth, request.project, *user, sign_in))) {
            response[name] = std::move(value);
        }
    }
    TRY(transaction.commit());
    return response;
}

}  // namespace integreat::firebase
