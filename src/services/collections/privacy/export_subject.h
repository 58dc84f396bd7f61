// SPDX-License-Identifier: Apache-2.0
// Exports the data that an app holds about one person: Republic Act 10173 of the Philippines, the Data
// Privacy Act, sections 16 and 18 (access and erasure), and similar laws.
//
// A person is identified only by the given identifiers, Firebase uids and e-mail addresses: an address that
// another person wrote into their own record does not grant access to other records. A record is about the
// person if its `subject` or a personal e-mail field matches; it mentions the person if any other field of
// type user matches.
#pragma once

#include <string>
#include <vector>

#include "postgres/driver/pool.h"
#include "services/collections/model.h"

namespace integreat::collections {

inline constexpr std::size_t identifiers_max = 20;

// Returns one JSON document: complete records about the person, including deleted ones; records that mention
// the person, without the personal fields of others; the person's changes, and the history of records about
// them.
Result<std::string> export_subject(postgres::Pool& owner, const Model& model,
                                   const std::vector<std::string>& identifiers, Monotonic deadline);

// ---- Shared with erase_subject. In the SQL conditions the record is t and $1 is an array of identifiers.

std::string about_subject_condition(const Collection& collection);
std::string mentions_subject_condition(const Collection& collection);

// Lowercases e-mail addresses. Fails with Fault::invalid if there are none or too many.
Result<std::vector<std::string>> normalize_identifiers(const std::vector<std::string>& identifiers);

}  // namespace integreat::collections
