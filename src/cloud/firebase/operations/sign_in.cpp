// SPDX-License-Identifier: Apache-2.0
#include <boost/json/serialize.hpp>

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "cloud/firebase/store/passwords.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

struct SignUpRequest {
    std::optional<std::string> id_token, local_id, email, password, display_name, photo_url, phone_number;
    bool email_verified = false;
    bool disabled = false;

    bool anonymous() const { return !id_token && !email && !password; }
};

Result<SignUpRequest> read_sign_up(Ask& ask) {
    Fields fields(ask.body);
    SignUpRequest request{.id_token = fields.text("idToken", token_bytes_max),
                          .local_id = fields.text("localId", uid_bytes_max),
                          .email = fields.text("email"),
                          .password = fields.text("password", 2 * password_bytes_max),
                          .display_name = fields.text("displayName", name_bytes_max),
                          .photo_url = fields.text("photoUrl"),
                          .phone_number = fields.text("phoneNumber"),
                          .email_verified = fields.flag("emailVerified").value_or(false),
                          .disabled = fields.flag("disabled").value_or(false)};
    TRY(fields.check());
    if (request.email) request.email = TRY(check_email(*request.email));
    if (request.phone_number) TRY(check_phone_number(*request.phone_number));
    return request;
}

Result<> check_public_sign_up(const Ask& ask, const SignUpRequest& request) {
    if (request.local_id) return refusal("UNEXPECTED_PARAMETER : User ID");
    if (request.anonymous()) {
        if (!ask.project.sign_in.anonymous) return refusal("ADMIN_ONLY_OPERATION");
        return {};
    }
    if (!request.email) return refusal("MISSING_EMAIL");
    if (!request.password || request.password->empty()) return refusal("MISSING_PASSWORD");
    if (!ask.project.sign_in.password) return refusal("OPERATION_NOT_ALLOWED");
    return {};
}

// The user to write: a new one, or the one whose token asks to be given an e-mail and password.
Result<User> user_to_sign_up(Transaction& transaction, Ask& ask, const SignUpRequest& request) {
    if (request.id_token && !ask.privileged) {
        return TRY(verify_id_token(transaction, ask.auth, ask.project, *request.id_token)).user;
    }
    User user{.uid = request.local_id ? *request.local_id : random_uid(ask.auth.random),
              .created_ms = now_milliseconds(ask.auth)};
    if (user.uid.empty()) return refusal("INVALID_LOCAL_ID");
    if (TRY(find_user(transaction, ask.project.id, user.uid))) return refusal("DUPLICATE_LOCAL_ID");
    return user;
}

Result<> fill_user(Transaction& transaction, Ask& ask, const SignUpRequest& request, User& user) {
    if (request.email) {
        TRY(refuse_taken_email(transaction, ask.project, *request.email));
        user.email = request.email;
        user.email_verified = ask.privileged && request.email_verified;
    }
    if (request.display_name) user.display_name = request.display_name;
    if (!ask.privileged) return {};
    if (request.photo_url) user.photo_url = request.photo_url;
    user.disabled = request.disabled;
    if (request.phone_number) {
        if (TRY(find_user_by_phone(transaction, ask.project.id, *request.phone_number))) {
            return refusal("PHONE_NUMBER_EXISTS");
        }
        user.phone_number = request.phone_number;
    }
    return {};
}

}  // namespace

Result<> refuse_taken_email(Transaction& transaction, const Project& project, std::string_view email) {
    if (TRY(find_user_by_email(transaction, project.id, email))) return refusal("EMAIL_EXISTS");
    return {};
}

Answer sign_up(Ask& ask) {
    auto request = TRY(read_sign_up(ask));
    if (!ask.privileged) TRY(check_public_sign_up(ask, request));
    std::optional<PasswordHash> password;
    if (request.password && !request.password->empty()) {
        password = TRY(hash_password(ask.auth.random, *request.password, now_milliseconds(ask.auth)));
    }

    auto transaction = TRY(ask.auth.store->write());
    auto user = TRY(user_to_sign_up(transaction, ask, request));
    TRY(fill_user(transaction, ask, request, user));
    if (password) {
        user.password = password;
        user.valid_since_s = now_seconds(ask.auth);
    }
    json::object answer{{"kind", "identitytoolkit#SignupNewUserResponse"}, {"localId", user.uid}};
    if (user.display_name) answer["displayName"] = *user.display_name;
    if (user.email) answer["email"] = *user.email;
    if (ask.privileged) {
        TRY(save_user(transaction, ask.project.id, user));
    } else {
        user.last_login_ms = now_milliseconds(ask.auth);
        SignIn sign_in{.provider = request.anonymous() ? "anonymous" : "password",
                       .auth_time_s = now_seconds(ask.auth)};
        for (auto& [name, value] : TRY(issue_tokens(transaction, ask.auth, ask.project, user, sign_in))) {
            answer[name] = std::move(value);
        }
    }
    TRY(transaction.commit());
    return answer;
}

namespace {

Result<std::optional<User>> read_user_by_email(Ask& ask, const std::string& email) {
    auto transaction = TRY(ask.auth.store->read());
    return find_user_by_email(transaction, ask.project.id, email);
}

// Marks the sign-in and adds the tokens to what is answered.
Result<> complete_sign_in(Transaction& transaction, Ask& ask, User& user, const SignIn& sign_in,
                          json::object& answer) {
    user.last_login_ms = now_milliseconds(ask.auth);
    for (auto& [name, value] : TRY(issue_tokens(transaction, ask.auth, ask.project, user, sign_in))) {
        answer[name] = std::move(value);
    }
    return {};
}

}  // namespace

Answer sign_in_with_password(Ask& ask) {
    Fields fields(ask.body);
    auto written = fields.text("email");
    auto password = fields.text("password", 2 * password_bytes_max);
    TRY(fields.check());
    if (!ask.project.sign_in.password) return refusal("PASSWORD_LOGIN_DISABLED");
    if (!written) return refusal("MISSING_EMAIL");
    auto email = TRY(check_email(*written));
    if (!password || password->empty()) return refusal("MISSING_PASSWORD");

    TRY(count_attempt(ask.auth, ask.project, email, ask.address));
    auto seen = TRY(read_user_by_email(ask, email));
    bool right = TRY(verify_password(*password, seen ? seen->password : std::nullopt));
    bool secretive = ask.project.sign_in.email_privacy;
    if (!seen) return refusal(secretive ? "INVALID_LOGIN_CREDENTIALS" : "EMAIL_NOT_FOUND");
    if (!right) return refusal(secretive ? "INVALID_LOGIN_CREDENTIALS" : "INVALID_PASSWORD");

    auto transaction = TRY(ask.auth.store->write());
    auto user = TRY(find_user(transaction, ask.project.id, seen->uid));
    bool changed = !user || user->email != seen->email || user->password != seen->password;
    if (changed) return refusal("INVALID_LOGIN_CREDENTIALS");  // While the password was being checked.
    if (user->disabled) return refusal("USER_DISABLED");
    json::object answer{{"kind", "identitytoolkit#VerifyPasswordResponse"},
                        {"registered", true},
                        {"localId", user->uid},
                        {"email", email}};
    if (user->display_name) answer["displayName"] = *user->display_name;
    SignIn sign_in{.provider = "password", .auth_time_s = now_seconds(ask.auth)};
    TRY(complete_sign_in(transaction, ask, *user, sign_in, answer));
    TRY(transaction.commit());
    forgive_attempts(ask.auth, ask.project, email, ask.address);
    return answer;
}

Answer sign_in_with_custom_token(Ask& ask) {
    Fields fields(ask.body);
    auto token = fields.text("token", token_bytes_max);
    TRY(fields.check());
    if (!token || token->empty()) return refusal("MISSING_CUSTOM_TOKEN");

    auto transaction = TRY(ask.auth.store->write());
    auto custom = TRY(verify_custom_token(transaction, ask.auth, ask.project, *token));
    auto user = TRY(find_user(transaction, ask.project.id, custom.uid));
    json::object answer{{"kind", "identitytoolkit#VerifyCustomTokenResponse"}, {"isNewUser", !user}};
    if (!user) user = User{.uid = custom.uid, .created_ms = now_milliseconds(ask.auth)};
    if (user->disabled) return refusal("USER_DISABLED");
    user->custom_auth = true;
    SignIn sign_in{
        .provider = "custom", .auth_time_s = now_seconds(ask.auth), .claims = json::serialize(custom.claims)};
    TRY(complete_sign_in(transaction, ask, *user, sign_in, answer));
    TRY(transaction.commit());
    return answer;
}

Answer sign_in_with_email_link(Ask& ask) {
    Fields fields(ask.body);
    auto written = fields.text("email");
    auto code_text = fields.text("oobCode");
    auto id_token = fields.text("idToken", token_bytes_max);
    TRY(fields.check());
    if (!ask.project.sign_in.email_link) return refusal("OPERATION_NOT_ALLOWED");
    if (!written) return refusal("MISSING_EMAIL");
    auto email = TRY(check_email(*written));
    if (!code_text) return refusal("MISSING_OOB_CODE");

    auto transaction = TRY(ask.auth.store->write());
    auto code = TRY(find_valid_code(transaction, ask.auth, ask.project, *code_text));
    if (code.kind != "EMAIL_SIGNIN") return refusal("INVALID_OOB_CODE");
    if (code.email != email) {
        return refusal("INVALID_EMAIL : The email provided does not match the sign-in email address.");
    }
    auto user = TRY(find_user_by_email(transaction, ask.project.id, email));
    if (id_token) {
        auto bearer = TRY(verify_id_token(transaction, ask.auth, ask.project, *id_token));
        if (user && user->uid != bearer.user.uid) return refusal("EMAIL_EXISTS");
        user = bearer.user;
    }
    bool is_new = !user;
    if (!user) user = User{.uid = random_uid(ask.auth.random), .created_ms = now_milliseconds(ask.auth)};
    if (user->disabled) return refusal("USER_DISABLED");
    // Who never proved the address to be theirs may have chosen the password: it goes.
    if (!is_new && !id_token && !user->email_verified) user->password.reset();
    user->email = email;
    user->email_verified = true;
    user->email_link = true;
    json::object answer{{"kind", "identitytoolkit#EmailLinkSigninResponse"},
                        {"email", email},
                        {"localId", user->uid},
                        {"isNewUser", is_new}};
    SignIn sign_in{.provider = "password", .auth_time_s = now_seconds(ask.auth)};
    TRY(complete_sign_in(transaction, ask, *user, sign_in, answer));
    TRY(delete_oob_code(transaction, ask.project.id, code.code));
    TRY(transaction.commit());
    return answer;
}

Answer grant_token(Ask& ask) {
    Fields fields(ask.body);
    auto grant_type = fields.text("grant_type");
    auto token = fields.text("refresh_token");
    TRY(fields.check());
    if (!grant_type) return refusal("MISSING_GRANT_TYPE");
    if (*grant_type != "refresh_token") return refusal("INVALID_GRANT_TYPE");
    if (!token || token->empty()) return refusal("MISSING_REFRESH_TOKEN");

    auto transaction = TRY(ask.auth.store->write());
    auto record = TRY(find_refresh_token(transaction, ask.project.id, *token));
    if (!record) return refusal("INVALID_REFRESH_TOKEN");
    auto user = TRY(find_user(transaction, ask.project.id, record->uid));
    if (!user) return refusal("USER_NOT_FOUND");
    if (user->disabled) return refusal("USER_DISABLED");
    if (record->revoked || record->issued_s < user->valid_since_s) return refusal("TOKEN_EXPIRED");
    user->last_refresh_ms = now_milliseconds(ask.auth);
    TRY(save_user(transaction, ask.project.id, *user));
    SignIn sign_in{
        .provider = record->sign_in_provider, .auth_time_s = record->auth_time_s, .claims = record->claims};
    auto id_token = TRY(make_id_token(transaction, ask.auth, ask.project, *user, sign_in));
    TRY(transaction.commit());
    return json::object{{"id_token", id_token},
                        {"access_token", id_token},
                        {"expires_in", std::to_string(id_token_seconds)},
                        {"refresh_token", *token},
                        {"token_type", "Bearer"},
                        {"user_id", user->uid},
                        {"project_id", ask.project.number}};
}

}  // namespace integreat::firebase
