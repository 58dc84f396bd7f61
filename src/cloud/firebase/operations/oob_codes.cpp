// SPDX-License-Identifier: Apache-2.0
// Out-of-band codes. No e-mail is sent: the codes and their links are listed at
// GET /emulator/v1/projects/{p}/oobCodes.
#include <boost/json/array.hpp>

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "cloud/firebase/store/oob_code_store.h"
#include "cloud/firebase/store/passwords.h"
#include "crypto/ids.h"
#include "http/routing/target.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

struct Kind {
    std::string_view name;
    std::string_view mode;  // The parameter of the link.
    std::int64_t valid_seconds;
};
constexpr Kind kinds[] = {{"PASSWORD_RESET", "resetPassword", 3600},
                          {"EMAIL_SIGNIN", "signIn", 6 * 3600},
                          {"VERIFY_EMAIL", "verifyEmail", 3 * 24 * 3600},
                          {"VERIFY_AND_CHANGE_EMAIL", "verifyAndChangeEmail", 3 * 24 * 3600},
                          {"RECOVER_EMAIL", "recoverEmail", 7 * 24 * 3600}};

const Kind& find_kind(std::string_view name) {
    for (const auto& kind : kinds) {
        if (kind.name == name) return kind;
    }
    ASSERT(false && "unknown kind of out-of-band code");
    return kinds[0];
}

}  // namespace

Result<OobCode> make_oob_code(Transaction& transaction, OperationRequest& request,
                              const CodeRequest& code_request) {
    const auto& kind = find_kind(code_request.kind);
    OobCode code{.code = crypto::random_token(request.auth.random, 40),
                 .kind = code_request.kind,
                 .email = code_request.email,
                 .new_email = code_request.new_email,
                 .link = {},
                 .created_ms = now_milliseconds(request.auth),
                 .expires_s = now_seconds(request.auth) + kind.valid_seconds};
    code.link = request.origin + "/emulator/action?mode=" + std::string(kind.mode) +
                "&lang=en&oobCode=" + code.code + "&apiKey=" + request.project.api_key;
    if (code_request.continue_url)
        code.link += "&continueUrl=" + http::percent_encode(*code_request.continue_url);
    TRY(insert_oob_code(transaction, request.project.id, code));
    return code;
}

Result<OobCode> find_valid_code(Transaction& transaction, Auth& auth, const Project& project,
                                std::string_view code) {
    auto stored = TRY(find_oob_code(transaction, project.id, code));
    if (!stored) return firebase_error("INVALID_OOB_CODE");
    if (stored->expires_s <= now_seconds(auth)) return firebase_error("EXPIRED_OOB_CODE");
    return std::move(*stored);
}

namespace {

struct SendOobCodeInput {
    std::string kind;
    std::optional<std::string> email, new_email, id_token, continue_url;
    bool return_link = false;
};

Result<SendOobCodeInput> parse_send_oob_code(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    SendOobCodeInput input{.kind = fields.text("requestType").value_or(""),
                           .email = fields.text("email"),
                           .new_email = fields.text("newEmail"),
                           .id_token = fields.text("idToken", max_token_bytes),
                           .continue_url = fields.text("continueUrl"),
                           .return_link = fields.flag("returnOobLink").value_or(false)};
    TRY(fields.check());
    if (input.kind.empty() || input.kind == "OOB_REQ_TYPE_UNSPECIFIED")
        return firebase_error("MISSING_REQ_TYPE");
    if (input.return_link && !request.privileged) return firebase_error("INSUFFICIENT_PERMISSION");
    if (input.continue_url && !is_http_url(*input.continue_url)) {
        return firebase_error("INVALID_CONTINUE_URI : an absolute URL with http or https is needed");
    }
    if (input.email) input.email = TRY(check_email(*input.email));
    if (input.new_email) input.new_email = TRY(check_email(*input.new_email));
    return input;
}

// Returns the address of the user of the ID token, or of the user that an admin names.
Result<std::string> find_user_email(Transaction& transaction, OperationRequest& request,
                                    const SendOobCodeInput& input) {
    if (request.privileged && !input.id_token) {
        if (!input.email) return firebase_error("MISSING_EMAIL");
        if (!TRY(find_user_by_email(transaction, request.project.id, *input.email)))
            return firebase_error("USER_NOT_FOUND");
        return *input.email;
    }
    if (!input.id_token) return firebase_error("MISSING_ID_TOKEN");
    auto verified = TRY(verify_id_token(transaction, request.auth, request.project, *input.id_token));
    if (!verified.user.email) return firebase_error("MISSING_EMAIL");
    return *verified.user.email;
}

struct Recipient {
    std::string email;
    bool exists = true;  // False: no code is created, but the response is the same.
};

Result<Recipient> resolve_recipient(Transaction& transaction, OperationRequest& request,
                                    const SendOobCodeInput& input) {
    if (input.kind == "EMAIL_SIGNIN") {
        if (!request.project.sign_in.email_link) return firebase_error("OPERATION_NOT_ALLOWED");
        if (!input.email) return firebase_error("MISSING_EMAIL");
        return Recipient{*input.email};
    }
    if (input.kind == "PASSWORD_RESET") {
        if (!input.email) return firebase_error("MISSING_EMAIL");
        bool exists = TRY(find_user_by_email(transaction, request.project.id, *input.email)).has_value();
        if (!exists && (request.privileged || !request.project.sign_in.email_privacy))
            return firebase_error("EMAIL_NOT_FOUND");
        return Recipient{*input.email, exists};
    }
    if (input.kind == "VERIFY_EMAIL") {
        auto email = TRY(find_user_email(transaction, request, input));
        return Recipient{std::move(email)};
    }
    if (input.kind == "VERIFY_AND_CHANGE_EMAIL") {
        if (!input.new_email) return firebase_error("MISSING_NEW_EMAIL");
        auto email = TRY(find_user_email(transaction, request, input));
        TRY(require_unused_email(transaction, request.project, *input.new_email));
        return Recipient{std::move(email)};
    }
    return firebase_error("INVALID_REQ_TYPE : requestType " + input.kind.substr(0, 64) + " is unknown");
}

}  // namespace

OperationResult send_oob_code(OperationRequest& request) {
    auto input = TRY(parse_send_oob_code(request));
    auto transaction = TRY(request.auth.store->write());
    auto recipient = TRY(resolve_recipient(transaction, request, input));
    json::object response{{"kind", "identitytoolkit#GetOobConfirmationCodeResponse"},
                          {"email", recipient.email}};
    if (!recipient.exists) return response;
    CodeRequest code_request{
        .kind = input.kind, .email = recipient.email, .continue_url = input.continue_url};
    if (input.kind == "VERIFY_AND_CHANGE_EMAIL") code_request.new_email = input.new_email;
    auto code = TRY(make_oob_code(transaction, request, code_request));
    TRY(transaction.commit());
    if (input.return_link) {
        response["oobCode"] = code.code;
        response["oobLink"] = code.link;
    }
    return response;
}

Result<> confirm_password_reset(Auth& auth, const Project& project, const std::string& code_text,
                                const std::string& new_password) {
    auto password = TRY(hash_password(auth.random, new_password, now_milliseconds(auth)));
    auto transaction = TRY(auth.store->write());
    auto code = TRY(find_valid_code(transaction, auth, project, code_text));
    if (code.kind != "PASSWORD_RESET") return firebase_error("INVALID_OOB_CODE");
    auto user = TRY(find_user_by_email(transaction, project.id, code.email));
    if (!user) return firebase_error("INVALID_OOB_CODE");
    user->password = password;
    user->email_verified = true;  // The code was sent by e-mail.
    user->valid_since_s = now_seconds(auth);
    TRY(save_user(transaction, project.id, *user));
    TRY(revoke_refresh_tokens(transaction, project.id, user->uid));
    TRY(delete_oob_code(transaction, project.id, code.code));
    TRY(transaction.commit());
    reset_sign_in_attempts(auth, project, code.email, {});
    return {};
}

OperationResult reset_password(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto code_text = fields.text("oobCode");
    auto new_password = fields.text("newPassword", 2 * password_bytes_max);
    TRY(fields.check());
    if (!request.project.sign_in.password) return firebase_error("PASSWORD_LOGIN_DISABLED");
    if (!code_text) return firebase_error("MISSING_OOB_CODE");
    OobCode code;
    {
        auto transaction = TRY(request.auth.store->read());
        code = TRY(find_valid_code(transaction, request.auth, request.project, *code_text));
    }
    if (new_password) TRY(confirm_password_reset(request.auth, request.project, *code_text, *new_password));
    json::object response{{"kind", "identitytoolkit#ResetPasswordResponse"}, {"requestType", code.kind}};
    // The holder of a sign-in link must know its address; it is not returned.
    if (code.kind != "EMAIL_SIGNIN") response["email"] = code.email;
    if (code.new_email) response["newEmail"] = *code.new_email;
    return response;
}

Result<User> apply_oob_code(Transaction& transaction, Auth& auth, const Project& project,
                            const std::string& code_text) {
    auto code = TRY(find_valid_code(transaction, auth, project, code_text));
    bool recovers = code.kind == "RECOVER_EMAIL";
    if (!recovers && code.kind != "VERIFY_EMAIL" && code.kind != "VERIFY_AND_CHANGE_EMAIL") {
        return firebase_error("INVALID_OOB_CODE");
    }
    auto user = recovers ? TRY(find_user_by_initial_email(transaction, project.id, code.email))
                         : TRY(find_user_by_email(transaction, project.id, code.email));
    if (!user) return firebase_error("INVALID_OOB_CODE");
    auto email = code.new_email.value_or(code.email);
    if (user->email != email) {
        TRY(require_unused_email(transaction, project, email));
        if (!recovers && !user->initial_email) user->initial_email = user->email;
        user->email = email;
        user->valid_since_s = now_seconds(auth);
        TRY(revoke_refresh_tokens(transaction, project.id, user->uid));
    }
    user->email_verified = true;
    TRY(save_user(transaction, project.id, *user));
    TRY(delete_oob_code(transaction, project.id, code.code));
    return std::move(*user);
}

OperationResult list_oob_codes(OperationRequest& request) {
    auto transaction = TRY(request.auth.store->read());
    json::array codes;
    for (const auto& code : TRY(list_oob_codes(transaction, request.project.id, now_seconds(request.auth)))) {
        json::object entry{{"email", code.email},
                           {"requestType", code.kind},
                           {"oobCode", code.code},
                           {"oobLink", code.link}};
        if (code.new_email) entry["newEmail"] = *code.new_email;
        codes.push_back(std::move(entry));
    }
    return json::object{{"oobCodes", std::move(codes)}};
}

}  // namespace integreat::firebase
