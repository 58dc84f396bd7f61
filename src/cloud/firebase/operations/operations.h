// SPDX-License-Identifier: Apache-2.0
// One function per thing a client can ask for, named as the API names it:
// https://cloud.google.com/identity-platform/docs/reference/rest/v1/accounts
// They know nothing of paths and headers; routes.cpp says which request means which.
#pragma once

#include <boost/json/object.hpp>

#include "cloud/firebase/store/json_field_reader.h"
#include "cloud/firebase/tokens/tokens.h"

namespace integreat::firebase {

struct Ask {
    Auth& auth;
    Project project;
    bool privileged = false;  // Came with "Bearer owner" to a route of the admin API.
    const boost::json::object& body;
    const std::vector<std::pair<std::string, std::string>>& query;
    std::string origin;   // "http://127.0.0.1:9099", for links.
    std::string address;  // Of the client.
};

using Answer = Result<boost::json::object>;
using Operation = Answer (*)(Ask&);

// sign_in.cpp
Answer sign_up(Ask& ask);
Answer sign_in_with_password(Ask& ask);
Answer sign_in_with_custom_token(Ask& ask);
Answer sign_in_with_email_link(Ask& ask);
Answer grant_token(Ask& ask);  // The body is the form, as an object of strings.
// sign_in_with_idp.cpp
Answer sign_in_with_idp(Ask& ask);
// accounts.cpp
Answer lookup(Ask& ask);
Answer delete_account(Ask& ask);
Answer create_auth_uri(Ask& ask);
Answer create_session_cookie(Ask& ask);
Answer password_policy(Ask& ask);
Answer get_project(Ask& ask);
// update.cpp
Answer update_account(Ask& ask);
// oob_codes.cpp
Answer send_oob_code(Ask& ask);
Answer reset_password(Ask& ask);
Answer list_oob_codes(Ask& ask);
// batch.cpp
Answer batch_get(Ask& ask);
Answer batch_create(Ask& ask);
Answer batch_delete(Ask& ask);
Answer delete_all_accounts(Ask& ask);
// project_config.cpp
Answer get_config(Ask& ask);
Answer update_config(Ask& ask);

// What several of them need.
boost::json::object to_json(const User& user);
boost::json::array provider_user_info(const User& user);
Result<> refuse_taken_email(Transaction& transaction, const Project& project, std::string_view email);
// One that exists and is in time: INVALID_OOB_CODE, EXPIRED_OOB_CODE.
Result<OobCode> find_valid_code(Transaction& transaction, Auth& auth, const Project& project,
                                std::string_view code);
struct CodeRequest {
    std::string kind;
    std::string email;
    std::optional<std::string> new_email;
    std::optional<std::string> continue_url;
};
Result<OobCode> make_oob_code(Transaction& transaction, Ask& ask, const CodeRequest& request);
// The change that an oobCode of an e-mail stands for: verified, changed or recovered.
Result<User> apply_oob_code(Transaction& transaction, Auth& auth, const Project& project,
                            const std::string& code);
Result<> confirm_password_reset(Auth& auth, const Project& project, const std::string& code,
                                const std::string& new_password);
// TOO_MANY_ATTEMPTS_TRY_LATER, or counts one more attempt; forgive_attempts after a success.
Result<> count_attempt(Auth& auth, const Project& project, std::string_view email, std::string_view address);
void forgive_attempts(Auth& auth, const Project& project, std::string_view email, std::string_view address);

}  // namespace integreat::firebase
