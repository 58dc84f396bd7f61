// SPDX-License-Identifier: Apache-2.0
#include <boost/json/serialize.hpp>

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "cloud/firebase/store/oob_code_store.h"
#include "cloud/firebase/store/passwords.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

struct SignUpInput {
    std::optional<std::string> id_token, local_id, email, password, display_name, photo_url, phone_number;
    bool email_verified = false;
    bool disabled = false;

    bool anonymous() const { return !id_token && !email && !password; }
};

Result<SignUpInput> parse_sign_up(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    SignUpInput input{.id_token = fields.text("idToken", max_token_bytes),
                      .local_id = fields.text("localId", uid_bytes_max),
                      .email = fields.text("email"),
                      .password = fields.text("password", 2 * password_bytes_max),
                      .display_name = fields.text("displayName", name_bytes_max),
                      .photo_url = fields.text("photoUrl"),
                      .phone_number = fields.text("phoneNumber"),
                      .email_verified = fields.flag("emailVerified").value_or(false),
                      .disabled = fields.flag("disabled").value_or(false)};
    TRY(fields.check());
    if (input.email) input.email = TRY(check_email(*input.email));
    if (input.phone_number) TRY(check_phone_number(*input.phone_number));
    return input;
}

Result<> check_public_sign_up(const OperationRequest& request, const SignUpInput& input) {
    if (input.local_id) return firebase_error("UNEXPECTED_PARAMETER : User ID");
    if (input.anonymous()) {
        if (!request.project.sign_in.anonymous) return firebase_error("ADMIN_ONLY_OPERATION");
        return {};
    }
    if (!input.email) return firebase_error("MISSING_EMAIL");
    if (!input.password || input.password->empty()) return firebase_error("MISSING_PASSWORD");
    if (!request.project.sign_in.password) return firebase_error("OPERATION_NOT_ALLOWED");
    return {};
}

// Returns the user to save: a new one, or the signed-in user who adds an e-mail and a password.
Result<User> prepare_user(Transaction& transaction, OperationRequest& request, const SignUpInput& input) {
    if (input.id_token && !request.privileged) {
        return TRY(verify_id_token(transaction, request.auth, request.project, *input.id_token)).user;
    }
    User user{.uid = input.local_id ? *input.local_id : random_uid(request.auth.random),
              .created_ms = now_milliseconds(request.auth)};
    if (user.uid.empty()) return firebase_error("INVALID_LOCAL_ID");
    if (TRY(find_user(transaction, request.project.id, user.uid)))
        return firebase_error("DUPLICATE_LOCAL_ID");
    return user;
}

Result<> apply_sign_up(Transaction& transaction, OperationRequest& request, const SignUpInput& input,
                       User& user) {
    if (input.email) {
        TRY(require_unused_email(transaction, request.project, *input.email));
        user.email = input.email;
        user.email_verified = request.privileged && input.email_verified;
    }
    if (input.display_name) user.display_name = input.display_name;
    if (!request.privileged) return {};
    if (input.photo_url) user.photo_url = input.photo_url;
    user.disabled = input.disabled;
    if (input.phone_number) {
        if (TRY(find_user_by_phone(transaction, request.project.id, *input.phone_number))) {
            return firebase_error("PHONE_NUMBER_EXISTS");
        }
        user.phone_number = input.phone_number;
    }
    return {};
}

}  // namespace

Result<> require_unused_email(Transaction& transaction, const Project& project, std::string_view email) {
    if (TRY(find_user_by_email(transaction, project.id, email))) return firebase_error("EMAIL_EXISTS");
    return {};
}

OperationResult sign_up(OperationRequest& request) {
    auto input = TRY(parse_sign_up(request));
    if (!request.privileged) TRY(check_public_sign_up(request, input));
    std::optional<PasswordHash> password;
    if (input.password && !input.password->empty()) {
        password = TRY(hash_password(request.auth.random, *input.password, now_milliseconds(request.auth)));
    }

    auto transaction = TRY(request.auth.store->write());
    auto user = TRY(prepare_user(transaction, request, input));
    TRY(apply_sign_up(transaction, request, input, user));
    if (password) {
        user.password = password;
        user.valid_since_s = now_seconds(request.auth);
    }
    json::object response{{"kind", "identitytoolkit#SignupNewUserResponse"}, {"localId", user.uid}};
    if (user.display_name) response["displayName"] = *user.display_name;
    if (user.email) response["email"] = *user.email;
    if (request.privileged) {
        TRY(save_user(transaction, request.project.id, user));
    } else {
        user.last_login_ms = now_milliseconds(request.auth);
        SignIn sign_in{.provider = input.anonymous() ? "anonymous" : "password",
                       .auth_time_s = now_seconds(request.auth)};
        for (auto& [name, value] :
             TRY(issue_tokens(transaction, request.auth, request.project, user, sign_in))) {
            response[name] = std::move(value);
        }
    }
    TRY(transaction.commit());
    return response;
}

namespace {

Result<std::optional<User>> load_user_by_email(OperationRequest& request, const std::string& email) {
    auto transaction = TRY(request.auth.store->read());
    return find_user_by_email(transaction, request.project.id, email);
}

// Records the sign-in and adds the tokens to the response.
Result<> complete_sign_in(Transaction& transaction, OperationRequest& request, User& user,
                          const SignIn& sign_in, json::object& response) {
    user.last_login_ms = now_milliseconds(request.auth);
    for (auto& [name, value] : TRY(issue_tokens(transaction, request.auth, request.project, user, sign_in))) {
        response[name] = std::move(value);
    }
    return {};
}

}  // namespace

OperationResult sign_in_with_password(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto email_text = fields.text("email");
    auto password = fields.text("password", 2 * password_bytes_max);
    TRY(fields.check());
    if (!request.project.sign_in.password) return firebase_error("PASSWORD_LOGIN_DISABLED");
    if (!email_text) return firebase_error("MISSING_EMAIL");
    auto email = TRY(check_email(*email_text));
    if (!password || password->empty()) return firebase_error("MISSING_PASSWORD");

    TRY(count_sign_in_attempt(request.auth, request.project, email, request.address));
    auto checked_user = TRY(load_user_by_email(request, email));
    bool matches = TRY(verify_password(*password, checked_user ? checked_user->password : std::nullopt));
    bool hides_existence = request.project.sign_in.email_privacy;
    if (!checked_user)
        return firebase_error(hides_existence ? "INVALID_LOGIN_CREDENTIALS" : "EMAIL_NOT_FOUND");
    if (!matches) return firebase_error(hides_existence ? "INVALID_LOGIN_CREDENTIALS" : "INVALID_PASSWORD");

    auto transaction = TRY(request.auth.store->write());
    auto user = TRY(find_user(transaction, request.project.id, checked_user->uid));
    bool changed = !user || user->email != checked_user->email || user->password != checked_user->password;
    if (changed)
        return firebase_error("INVALID_LOGIN_CREDENTIALS");  // Changed while the password was being verified.
    if (user->disabled) return firebase_error("USER_DISABLED");
    json::object response{{"kind", "identitytoolkit#VerifyPasswordResponse"},
                          {"registered", true},
                          {"localId", user->uid},
                          {"email", email}};
    if (user->display_name) response["displayName"] = *user->display_name;
    SignIn sign_in{.provider = "password", .auth_time_s = now_seconds(request.auth)};
    TRY(complete_sign_in(transaction, request, *user, sign_in, response));
    TRY(transaction.commit());
    reset_sign_in_attempts(request.auth, request.project, email, request.address);
    return response;
}

OperationResult sign_in_with_custom_token(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto token = fields.text("token", max_token_bytes);
    TRY(fields.check());
    if (!token || token->empty()) return firebase_error("MISSING_CUSTOM_TOKEN");

    auto transaction = TRY(request.auth.store->write());
    auto custom = TRY(verify_custom_token(transaction, request.auth, request.project, *token));
    auto user = TRY(find_user(transaction, request.project.id, custom.uid));
    json::object response{{"kind", "identitytoolkit#VerifyCustomTokenResponse"}, {"isNewUser", !user}};
    if (!user) user = User{.uid = custom.uid, .created_ms = now_milliseconds(request.auth)};
    if (user->disabled) return firebase_error("USER_DISABLED");
    user->custom_auth = true;
    SignIn sign_in{.provider = "custom",
                   .auth_time_s = now_seconds(request.auth),
                   .claims = json::serialize(custom.claims)};
    TRY(complete_sign_in(transaction, request, *user, sign_in, response));
    TRY(transaction.commit());
    return response;
}

OperationResult sign_in_with_email_link(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto email_text = fields.text("email");
    auto code_text = fields.text("oobCode");
    auto id_token = fields.text("idToken", max_token_bytes);
    TRY(fields.check());
    if (!request.project.sign_in.email_link) return firebase_error("OPERATION_NOT_ALLOWED");
    if (!email_text) return firebase_error("MISSING_EMAIL");
    auto email = TRY(check_email(*email_text));
    if (!code_text) return firebase_error("MISSING_OOB_CODE");

    auto transaction = TRY(request.auth.store->write());
    auto code = TRY(find_valid_code(transaction, request.auth, request.project, *code_text));
    if (code.kind != "EMAIL_SIGNIN") return firebase_error("INVALID_OOB_CODE");
    if (code.email != email) {
        return firebase_error("INVALID_EMAIL : The email provided does not match the sign-in email address.");
    }
    auto user = TRY(find_user_by_email(transaction, request.project.id, email));
    if (id_token) {
        auto verified = TRY(verify_id_token(transaction, request.auth, request.project, *id_token));
        if (user && user->uid != verified.user.uid) return firebase_error("EMAIL_EXISTS");
        user = verified.user;
    }
    bool is_new = !user;
    if (!user)
        user = User{.uid = random_uid(request.auth.random), .created_ms = now_milliseconds(request.auth)};
    if (user->disabled) return firebase_error("USER_DISABLED");
    // The password of an unverified address may have been set by another person, so it is removed.
    if (!is_new && !id_token && !user->email_verified) user->password.reset();
    user->email = email;
    user->email_verified = true;
    user->email_link = true;
    json::object response{{"kind", "identitytoolkit#EmailLinkSigninResponse"},
                          {"email", email},
                          {"localId", user->uid},
                          {"isNewUser", is_new}};
    SignIn sign_in{.provider = "password", .auth_time_s = now_seconds(request.auth)};
    TRY(complete_sign_in(transaction, request, *user, sign_in, response));
    TRY(delete_oob_code(transaction, request.project.id, code.code));
    TRY(transaction.commit());
    return response;
}

OperationResult grant_token(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto grant_type = fields.text("grant_type");
    auto token = fields.text("refresh_token");
    TRY(fields.check());
    if (!grant_type) return firebase_error("MISSING_GRANT_TYPE");
    if (*grant_type != "refresh_token") return firebase_error("INVALID_GRANT_TYPE");
    if (!token || token->empty()) return firebase_error("MISSING_REFRESH_TOKEN");

    auto transaction = TRY(request.auth.store->write());
    auto stored = TRY(find_refresh_token(transaction, request.project.id, *token));
    if (!stored) return firebase_error("INVALID_REFRESH_TOKEN");
    auto user = TRY(find_user(transaction, request.project.id, stored->uid));
    if (!user) return firebase_error("USER_NOT_FOUND");
    if (user->disabled) return firebase_error("USER_DISABLED");
    if (stored->revoked || stored->issued_s < user->valid_since_s) return firebase_error("TOKEN_EXPIRED");
    user->last_refresh_ms = now_milliseconds(request.auth);
    TRY(save_user(transaction, request.project.id, *user));
    SignIn sign_in{
        .provider = stored->sign_in_provider, .auth_time_s = stored->auth_time_s, .claims = stored->claims};
    auto id_token = TRY(make_id_token(transaction, request.auth, request.project, *user, sign_in));
    TRY(transaction.commit());
    return json::object{{"id_token", id_token},
                        {"access_token", id_token},
                        {"expires_in", std::to_string(id_token_seconds)},
                        {"refresh_token", *token},
                        {"token_type", "Bearer"},
                        {"user_id", user->uid},
                        {"project_id", request.project.number}};
}

}  // namespace integreat::firebase
