// SPDX-License-Identifier: Apache-2.0
// Names and texts within SQL that takes no parameters: CREATE DATABASE, CREATE ROLE, GRANT.
#pragma once

#include <string>
#include <string_view>

namespace integreat::postgres {

// "tenant" → "\"tenant\"", with quotes doubled.
std::string quote_identifier(std::string_view name);

// For standard_conforming_strings, the default since PostgreSQL 9.1.
std::string quote_literal(std::string_view text);

}  // namespace integreat::postgres
