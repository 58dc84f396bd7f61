// SPDX-License-Identifier: Apache-2.0
// Word lists and text templates of a seed.
#pragma once

#include <string>
#include <string_view>

#include "services/collections/seed/seed_values.h"

namespace integreat::collections {

Result<const std::vector<std::string>*> word_list(const SeedWords& words, std::string_view name);

// Expands a template such as "{given_name} {family_name}" with fields of the draft. `{n}` is its number in
// the collection, `{n:5}` with leading zeros, `{year}` this year, `{year+1}` next year, `{pick:streets}` a
// random word.
Result<std::string> expand_template(const RecordDraft& draft, std::string_view text);

// Converts "María Clara" to "maria.clara".
std::string make_slug(std::string_view text, char separator);

}  // namespace integreat::collections
