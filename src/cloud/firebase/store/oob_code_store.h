// SPDX-License-Identifier: Apache-2.0
// Storage of out-of-band codes and of the seed users of `integreat dev`.
#pragma once

#include "cloud/firebase/store/schema.h"
#include "cloud/firebase/store/types.h"

namespace integreat::firebase {

inline constexpr int oob_codes_per_email_max = 20;  // The oldest are deleted.

// Out-of-band codes. Expired codes are found too, so that they can be reported as expired.
Result<> insert_oob_code(Transaction& transaction, const ProjectId& project, const OobCode& code);
Result<std::optional<OobCode>> find_oob_code(Transaction& transaction, const ProjectId& project,
                                             std::string_view code);
Result<> delete_oob_code(Transaction& transaction, const ProjectId& project, std::string_view code);
Result<std::vector<OobCode>> list_oob_codes(Transaction& transaction, const ProjectId& project,
                                            std::int64_t now_s);

// Seed users.
struct SeedUserRecord {
    std::string uid;
    SeedUser user;
    std::int64_t password_updated_ms = 0;
};
Result<std::optional<SeedUserRecord>> find_seed_user(Transaction& transaction, const ProjectId& project,
                                                     std::string_view email);
Result<> save_seed_user(Transaction& transaction, const ProjectId& project, const SeedUserRecord& record);

}  // namespace integreat::firebase
