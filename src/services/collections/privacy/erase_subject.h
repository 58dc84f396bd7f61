// SPDX-License-Identifier: Apache-2.0
// What export and erasure of somebody's personal data share. In the conditions, the record is t and $1 is an
// array of identifiers.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/model/model.h"

namespace integreat::collections {

std::string about_them(const Collection& collection);
std::string mentions_them(const Collection& collection);

// Addresses in lower case. Fault::invalid for none or too many.
Result<std::vector<std::string>> known_identifiers(const std::vector<std::string>& given);

}  // namespace integreat::collections
