// SPDX-License-Identifier: Apache-2.0
// Quoting of names and texts in SQL that takes no parameters: CREATE DATABASE, CREATE ROLE, GRANT.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace integreat::postgres {

// Quotes an identifier: tenant becomes "tenant", with quotes doubled.
std::string quote_identifier(std::string_view name);

// Quotes each identifier and separates them by commas: "a", "b".
std::string quote_identifiers(const std::vector<std::string>& names);

// Quotes a string literal for standard_conforming_strings, the default since PostgreSQL 9.1.
std::string quote_literal(std::string_view text);

}  // namespace integreat::postgres
