// SPDX-License-Identifier: Apache-2.0
// One function per operation, named like the method of the API:
// https://cloud.google.com/identity-platform/docs/reference/rest/v1/accounts
// They are independent of paths and headers; routes.cpp maps requests to them.
#pragma once

#include <boost/json/object.hpp>

#include "cloud/firebase/store/json_field_reader.h"
#include "cloud/firebase/tokens/tokens.h"

namespace integreat::firebase {

// The request of an operation.
struct OperationRequest {
    Auth& auth;
    Project project;
    bool privileged = false;  // True for a request with "Bearer owner" to a route of the admin API.
    const boost::json::object& body;
    const std::vector<std::pair<std::string, std::string>>& query;
    std::string origin;   // "http://127.0.0.1:9099", used in links.
    std::string address;  // IP address of the client.
};

using OperationResult = Result<boost::json::object>;
using Operation = OperationResult (*)(OperationRequest&);

// sign_in.cpp
OperationResult sign_up(OperationRequest& request);
OperationResult sign_in_with_password(OperationRequest& request);
OperationResult sign_in_with_custom_token(OperationRequest& request);
OperationResult sign_in_with_email_link(OperationRequest& request);
OperationResult grant_token(OperationRequest& request);  // The body is the form as an object of strings.
// sign_in_with_idp.cpp
OperationResult sign_in_with_idp(OperationRequest& request);
// accounts.cpp
OperationResult lookup(OperationRequest& request);
OperationResult delete_account(OperationRequest& request);
OperationResult create_auth_uri(OperationRequest& request);
OperationResult create_session_cookie(OperationRequest& request);
OperationResult password_policy(OperationRequest& request);
OperationResult get_project(OperationRequest& request);
// update_account.cpp
OperationResult update_account(OperationRequest& request);
// oob_codes.cpp
OperationResult send_oob_code(OperationRequest& request);
OperationResult reset_password(OperationRequest& request);
OperationResult list_oob_codes(OperationRequest& request);
// batch.cpp
OperationResult batch_get(OperationRequest& request);
OperationResult batch_create(OperationRequest& request);
OperationResult batch_delete(OperationRequest& request);
OperationResult delete_all_accounts(OperationRequest& request);
// project_config.cpp
OperationResult get_config(OperationRequest& request);
OperationResult update_config(OperationRequest& request);

boost::json::object to_json(const User& user);
boost::json::array provider_user_info(const User& user);
// Returns EMAIL_EXISTS if a user has the address.
Result<> require_unused_email(Transaction& transaction, const Project& project, std::string_view email);
// Returns a code that exists and has not expired; INVALID_OOB_CODE, EXPIRED_OOB_CODE.
Result<OobCode> find_valid_code(Transaction& transaction, Auth& auth, const Project& project,
                                std::string_view code);
struct CodeRequest {
    std::string kind;
    std::string email;
    std::optional<std::string> new_email;
    std::optional<std::string> continue_url;
};
Result<OobCode> make_oob_code(Transaction& transaction, OperationRequest& request,
                              const CodeRequest& code_request);
// Applies the change of an out-of-band code: verifies, changes or recovers the e-mail address.
Result<User> apply_oob_code(Transaction& transaction, Auth& auth, const Project& project,
                            const std::string& code);
Result<> confirm_password_reset(Auth& auth, const Project& project, const std::string& code,
                                const std::string& new_password);
// Counts a sign-in attempt or returns TOO_MANY_ATTEMPTS_TRY_LATER; reset after a successful sign-in.
Result<> count_sign_in_attempt(Auth& auth, const Project& project, std::string_view email,
                               std::string_view address);
void reset_sign_in_attempts(Auth& auth, const Project& project, std::string_view email,
                            std::string_view address);

}  // namespace integreat::firebase
