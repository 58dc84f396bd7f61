// SPDX-License-Identifier: Apache-2.0
// How users, codes, tokens and keys are stored. Every function takes the project: what belongs to another
// is not found.
#pragma once

#include "cloud/firebase/store/schema.h"
#include "cloud/firebase/store/types.h"

namespace integreat::firebase {

inline constexpr int refresh_tokens_per_user_max = 100;  // Older ones go.
inline constexpr int oob_codes_per_email_max = 20;

// Projects.
Result<std::optional<Project>> find_project(Transaction& transaction, const ProjectId& id);
Result<std::optional<Project>> find_project_by_key(Transaction& transaction, std::string_view api_key);
Result<> insert_project(Transaction& transaction, const Project& project);
Result<> update_project(Transaction& transaction, const Project& project);

// Users. An e-mail is looked up as it is stored: in lower case.
Result<std::optional<User>> find_user(Transaction& transaction, const ProjectId& project,
                                      std::string_view uid);
Result<std::optional<User>> find_user_by_email(Transaction& transaction, const ProjectId& project,
                                               std::string_view email);
Result<std::optional<User>> find_user_by_initial_email(Transaction& transaction, const ProjectId& project,
                                                       std::string_view email);
Result<std::optional<User>> find_user_by_phone(Transaction& transaction, const ProjectId& project,
                                               std::string_view phone_number);
struct ProviderKey {
    std::string_view provider_id;
    std::string_view raw_id;
};
Result<std::optional<User>> find_user_by_provider(Transaction& transaction, const ProjectId& project,
                                                  const ProviderKey& key);
// In the order of their uid, those after `after`.
Result<std::vector<User>> list_users(Transaction& transaction, const ProjectId& project,
                                     std::string_view after, std::int64_t count_max);
Result<> save_user(Transaction& transaction, const ProjectId& project, const User& user);  // New or known.
Result<> delete_user(Transaction& transaction, const ProjectId& project, std::string_view uid);
Result<> delete_all_users(Transaction& transaction, const ProjectId& project);

// Refresh tokens; only their hash is stored. One of a deleted user stays known, as revoked.
Result<> insert_refresh_token(Transaction& transaction, const ProjectId& project, std::string_view token,
                              const RefreshToken& record);
Result<std::optional<RefreshToken>> find_refresh_token(Transaction& transaction, const ProjectId& project,
                                                       std::string_view token);
Result<> revoke_refresh_tokens(Transaction& transaction, const ProjectId& project, std::string_view uid);

// Codes. An expired one is found, so that it can be called expired.
Result<> insert_oob_code(Transaction& transaction, const ProjectId& project, const OobCode& code);
Result<std::optional<OobCode>> find_oob_code(Transaction& transaction, const ProjectId& project,
                                             std::string_view code);
Result<> delete_oob_code(Transaction& transaction, const ProjectId& project, std::string_view code);
Result<std::vector<OobCode>> list_oob_codes(Transaction& transaction, const ProjectId& project,
                                            std::int64_t now_s);

// Ready-made users.
struct ReadyMadeRecord {
    std::string uid;
    ReadyMadeUser user;
    std::int64_t password_updated_ms = 0;
};
Result<std::optional<ReadyMadeRecord>> find_ready_made(Transaction& transaction, const ProjectId& project,
                                                       std::string_view email);
Result<> save_ready_made(Transaction& transaction, const ProjectId& project, const ReadyMadeRecord& record);

}  // namespace integreat::firebase
