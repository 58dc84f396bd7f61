// SPDX-License-Identifier: Apache-2.0
// Storage of projects, users and refresh tokens. Every function takes the project; entities of other projects
// are not found.
#pragma once

#include "cloud/firebase/store/schema.h"
#include "cloud/firebase/store/types.h"

namespace integreat::firebase {

inline constexpr int refresh_tokens_per_user_max = 100;  // The oldest are deleted.

// Projects.
Result<std::optional<Project>> find_project(Transaction& transaction, const ProjectId& id);
Result<std::optional<Project>> find_project_by_key(Transaction& transaction, std::string_view api_key);
Result<> insert_project(Transaction& transaction, const Project& project);
Result<> update_project(Transaction& transaction, const Project& project);

// Users. E-mail addresses are stored and looked up in lower case.
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
// Lists users ordered by uid, starting after `after`.
Result<std::vector<User>> list_users(Transaction& transaction, const ProjectId& project,
                                     std::string_view after, std::int64_t count_max);
Result<> save_user(Transaction& transaction, const ProjectId& project,
                   const User& user);  // Inserts or updates.
Result<> delete_user(Transaction& transaction, const ProjectId& project, std::string_view uid);
Result<> delete_all_users(Transaction& transaction, const ProjectId& project);

// Refresh tokens; only their hash is stored. Tokens of a deleted user are kept as revoked.
Result<> insert_refresh_token(Transaction& transaction, const ProjectId& project, std::string_view token,
                              const RefreshToken& record);
Result<std::optional<RefreshToken>> find_refresh_token(Transaction& transaction, const ProjectId& project,
                                                       std::string_view token);
Result<> revoke_refresh_tokens(Transaction& transaction, const ProjectId& project, std::string_view uid);

}  // namespace integreat::firebase
