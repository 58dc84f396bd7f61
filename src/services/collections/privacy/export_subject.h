// SPDX-License-Identifier: Apache-2.0
// What an app keeps about one person, for them to have (export) or to be rid of (erasure): Republic Act
// 10173 of the Philippines, the Data Privacy Act, sections 16 and 18, and laws like it.
//
// A person is known by the identifiers that are given, Firebase uids and email addresses, and by no others:
// an address that somebody wrote into their own record does not make somebody else's records theirs. A
// record is about them if its `subject` or a personal email says so; it mentions them if any other field of
// type user does.
#pragma once

#include <string>
#include <vector>

#include "config/model/model.h"
#include "postgres/driver/pool.h"

namespace integreat::collections {

inline constexpr std::size_t identifiers_max = 20;

// One JSON document: records about them in full, also deleted ones; records that mention them without what is
// personal to others; what they changed, and what was noted of changes of records about them.
Result<std::string> export_subject(postgres::Pool& owner, const Model& model,
                                   const std::vector<std::string>& identifiers, Monotonic deadline);

struct Erased {
    std::int64_t records = 0;  // About them: personal fields are empty now, or say "erased" where required.
    std::int64_t changes = 0;  // Notes of changes that held something of it.
};

// In one transaction. Wherever their uid stood, there is a pseudonym afterwards, the same everywhere.
Result<Erased> erase_subject(postgres::Pool& owner, const Model& model,
                             const std::vector<std::string>& identifiers, Monotonic deadline);

}  // namespace integreat::collections
