// SPDX-License-Identifier: Apache-2.0
// Words of a seed, and texts with places for them.
#pragma once

#include <string>
#include <string_view>

#include "services/collections/seed/seed_values.h"

namespace integreat::collections {

Result<const std::vector<std::string>*> word_list(const Words& words, std::string_view name);

// "{given_name} {family_name}": fields of the record so far. `{n}` is its number in the collection, `{n:5}`
// with zeros in front, `{year}` this year, `{year+1}` the next, `{pick:streets}` a word.
Result<std::string> filled_in(const Sprout& sprout, std::string_view text);

// "María Clara" → "maria.clara"
std::string slug_of(std::string_view text, char between);

}  // namespace integreat::collections
