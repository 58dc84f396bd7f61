// SPDX-License-Identifier: Apache-2.0
// Codes that would go out by e-mail. Nothing is sent: the codes and their links are listed at
// GET /emulator/v1/projects/{p}/oobCodes.
#include <boost/json/array.hpp>

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "cloud/firebase/store/passwords.h"
#include "crypto/ids.h"
#include "http/routing/router.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

struct Kind {
    std::string_view name;
    std::string_view mode;  // As the link says it.
    std::int64_t valid_seconds;
};
constexpr Kind kinds[] = {{"PASSWORD_RESET", "resetPassword", 3600},
                          {"EMAIL_SIGNIN", "signIn", 6 * 3600},
                          {"VERIFY_EMAIL", "verifyEmail", 3 * 24 * 3600},
                          {"VERIFY_AND_CHANGE_EMAIL", "verifyAndChangeEmail", 3 * 24 * 3600},
                          {"RECOVER_EMAIL", "recoverEmail", 7 * 24 * 3600}};

const Kind& kind_of(std::string_view name) {
    for (const auto& kind : kinds) {
        if (kind.name == name) return kind;
    }
    ASSERT(false && "callers name one of the kinds");
    return kinds[0];
}

}  // namespace

Result<OobCode> make_oob_code(Transaction& transaction, Ask& ask, const CodeRequest& request) {
    const auto& kind = kind_of(request.kind);
    OobCode code{.code = crypto::random_token(ask.auth.random, 40),
                 .kind = request.kind,
                 .email = request.email,
                 .new_email = request.new_email,
                 .link = {},
                 .created_ms = now_milliseconds(ask.auth),
                 .expires_s = now_seconds(ask.auth) + kind.valid_seconds};
    code.link = ask.origin + "/emulator/action?mode=" + std::string(kind.mode) +
                "&lang=en&oobCode=" + code.code + "&apiKey=" + ask.project.api_key;
    if (request.continue_url) code.link += "&continueUrl=" + http::percent_encode(*request.continue_url);
    TRY(insert_oob_code(transaction, ask.project.id, code));
    return code;
}

Result<OobCode> find_valid_code(Transaction& transaction, Auth& auth, const Project& project,
                                std::string_view code) {
    auto found = TRY(find_oob_code(transaction, project.id, code));
    if (!found) return refusal("INVALID_OOB_CODE");
    if (found->expires_s <= now_seconds(auth)) return refusal("EXPIRED_OOB_CODE");
    return std::move(*found);
}

namespace {

struct Wanted {
    std::string kind;
    std::optional<std::string> email, new_email, id_token, continue_url;
    bool return_link = false;
};

Result<Wanted> read_wanted(Ask& ask) {
    Fields fields(ask.body);
    Wanted wanted{.kind = fields.text("requestType").value_or(""),
                  .email = fields.text("email"),
                  .new_email = fields.text("newEmail"),
                  .id_token = fields.text("idToken", token_bytes_max),
                  .continue_url = fields.text("continueUrl"),
                  .return_link = fields.flag("returnOobLink").value_or(false)};
    TRY(fields.check());
    if (wanted.kind.empty() || wanted.kind == "OOB_REQ_TYPE_UNSPECIFIED") return refusal("MISSING_REQ_TYPE");
    if (wanted.return_link && !ask.privileged) return refusal("INSUFFICIENT_PERMISSION");
    if (wanted.continue_url && !is_http_url(*wanted.continue_url)) {
        return refusal("INVALID_CONTINUE_URI : an absolute URL with http or https is needed");
    }
    if (wanted.email) wanted.email = TRY(check_email(*wanted.email));
    if (wanted.new_email) wanted.new_email = TRY(check_email(*wanted.new_email));
    return wanted;
}

// The address of the user who asks by token, or whom an admin names.
Result<std::string> email_of_user(Transaction& transaction, Ask& ask, const Wanted& wanted) {
    if (ask.privileged && !wanted.id_token) {
        if (!wanted.email) return refusal("MISSING_EMAIL");
        if (!TRY(find_user_by_email(transaction, ask.project.id, *wanted.email)))
            return refusal("USER_NOT_FOUND");
        return *wanted.email;
    }
    if (!wanted.id_token) return refusal("MISSING_ID_TOKEN");
    auto bearer = TRY(verify_id_token(transaction, ask.auth, ask.project, *wanted.id_token));
    if (!bearer.user.email) return refusal("MISSING_EMAIL");
    return *bearer.user.email;
}

struct Recipient {
    std::string email;
    bool known = true;  // False: nothing is made, but the answer is the same.
};

Result<Recipient> recipient_of(Transaction& transaction, Ask& ask, const Wanted& wanted) {
    if (wanted.kind == "EMAIL_SIGNIN") {
        if (!ask.project.sign_in.email_link) return refusal("OPERATION_NOT_ALLOWED");
        if (!wanted.email) return refusal("MISSING_EMAIL");
        return Recipient{*wanted.email};
    }
    if (wanted.kind == "PASSWORD_RESET") {
        if (!wanted.email) return refusal("MISSING_EMAIL");
        bool known = TRY(find_user_by_email(transaction, ask.project.id, *wanted.email)).has_value();
        if (!known && (ask.privileged || !ask.project.sign_in.email_privacy))
            return refusal("EMAIL_NOT_FOUND");
        return Recipient{*wanted.email, known};
    }
    if (wanted.kind == "VERIFY_EMAIL") {
        auto email = TRY(email_of_user(transaction, ask, wanted));
        return Recipient{std::move(email)};
    }
    if (wanted.kind == "VERIFY_AND_CHANGE_EMAIL") {
        if (!wanted.new_email) return refusal("MISSING_NEW_EMAIL");
        auto email = TRY(email_of_user(transaction, ask, wanted));
        TRY(refuse_taken_email(transaction, ask.project, *wanted.new_email));
        return Recipient{std::move(email)};
    }
    return refusal("INVALID_REQ_TYPE : requestType " + wanted.kind.substr(0, 64) + " is not known");
}

}  // namespace

Answer send_oob_code(Ask& ask) {
    auto wanted = TRY(read_wanted(ask));
    auto transaction = TRY(ask.auth.store->write());
    auto recipient = TRY(recipient_of(transaction, ask, wanted));
    json::object answer{{"kind", "identitytoolkit#GetOobConfirmationCodeResponse"},
                        {"email", recipient.email}};
    if (!recipient.known) return answer;
    CodeRequest request{.kind = wanted.kind, .email = recipient.email, .continue_url = wanted.continue_url};
    if (wanted.kind == "VERIFY_AND_CHANGE_EMAIL") request.new_email = wanted.new_email;
    auto code = TRY(make_oob_code(transaction, ask, request));
    TRY(transaction.commit());
    if (wanted.return_link) {
        answer["oobCode"] = code.code;
        answer["oobLink"] = code.link;
    }
    return answer;
}

Result<> confirm_password_reset(Auth& auth, const Project& project, const std::string& code_text,
                                const std::string& new_password) {
    auto password = TRY(hash_password(auth.random, new_password, now_milliseconds(auth)));
    auto transaction = TRY(auth.store->write());
    auto code = TRY(find_valid_code(transaction, auth, project, code_text));
    if (code.kind != "PASSWORD_RESET") return refusal("INVALID_OOB_CODE");
    auto user = TRY(find_user_by_email(transaction, project.id, code.email));
    if (!user) return refusal("INVALID_OOB_CODE");
    user->password = password;
    user->email_verified = true;  // The code came by e-mail.
    user->valid_since_s = now_seconds(auth);
    TRY(save_user(transaction, project.id, *user));
    TRY(revoke_refresh_tokens(transaction, project.id, user->uid));
    TRY(delete_oob_code(transaction, project.id, code.code));
    TRY(transaction.commit());
    forgive_attempts(auth, project, code.email, {});
    return {};
}

Answer reset_password(Ask& ask) {
    Fields fields(ask.body);
    auto code_text = fields.text("oobCode");
    auto new_password = fields.text("newPassword", 2 * password_bytes_max);
    TRY(fields.check());
    if (!ask.project.sign_in.password) return refusal("PASSWORD_LOGIN_DISABLED");
    if (!code_text) return refusal("MISSING_OOB_CODE");
    OobCode code;
    {
        auto transaction = TRY(ask.auth.store->read());
        code = TRY(find_valid_code(transaction, ask.auth, ask.project, *code_text));
    }
    if (new_password) TRY(confirm_password_reset(ask.auth, ask.project, *code_text, *new_password));
    json::object answer{{"kind", "identitytoolkit#ResetPasswordResponse"}, {"requestType", code.kind}};
    // Who holds a sign-in link must know its address; it is not told.
    if (code.kind != "EMAIL_SIGNIN") answer["email"] = code.email;
    if (code.new_email) answer["newEmail"] = *code.new_email;
    return answer;
}

Result<User> apply_oob_code(Transaction& transaction, Auth& auth, const Project& project,
                            const std::string& text) {
    auto code = TRY(find_valid_code(transaction, auth, project, text));
    bool recovers = code.kind == "RECOVER_EMAIL";
    if (!recovers && code.kind != "VERIFY_EMAIL" && code.kind != "VERIFY_AND_CHANGE_EMAIL") {
        return refusal("INVALID_OOB_CODE");
    }
    auto user = recovers ? TRY(find_user_by_initial_email(transaction, project.id, code.email))
                         : TRY(find_user_by_email(transaction, project.id, code.email));
    if (!user) return refusal("INVALID_OOB_CODE");
    auto email = code.new_email.value_or(code.email);
    if (user->email != email) {
        TRY(refuse_taken_email(transaction, project, email));
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

Answer list_oob_codes(Ask& ask) {
    auto transaction = TRY(ask.auth.store->read());
    json::array codes;
    for (const auto& code : TRY(list_oob_codes(transaction, ask.project.id, now_seconds(ask.auth)))) {
        json::object shown{{"email", code.email},
                           {"requestType", code.kind},
                           {"oobCode", code.code},
                           {"oobLink", code.link}};
        if (code.new_email) shown["newEmail"] = *code.new_email;
        codes.push_back(std::move(shown));
    }
    return json::object{{"oobCodes", std::move(codes)}};
}

}  // namespace integreat::firebase
