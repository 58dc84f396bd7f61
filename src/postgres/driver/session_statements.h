// SPDX-License-Identifier: Apache-2.0
// The statements that precede a query in the same round trip (role, statement timeout), and the checks and
// errors that Pool and Transaction share.
#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "base/result.h"
#include "postgres/driver/result_set.h"

namespace integreat::postgres {

inline constexpr std::string_view set_timeout_sql = "SELECT set_config('statement_timeout', $1, true)";
// num_nulls(): the results are discarded, and one number costs less to describe and send than four texts.
inline constexpr std::string_view set_role_sql =
    "SELECT num_nulls(set_config('role', $1, true), set_config('integreat.uid', $2, true), "
    "set_config('integreat.request', $3, true))";
inline constexpr std::string_view set_role_and_timeout_sql =
    "SELECT num_nulls(set_config('role', $1, true), set_config('integreat.uid', $2, true), "
    "set_config('integreat.request', $3, true), set_config('statement_timeout', $4, true))";

// Returns the statement timeout for the time left: the server gives up a little earlier than the client, so
// that the connection remains usable.
std::chrono::milliseconds server_timeout(std::chrono::milliseconds left);

// Returns true for errors of a prepared statement that the session does not have (a pooler switched sessions)
// or whose plan DDL made stale: nothing was executed.
bool is_plan_lost(std::string_view sqlstate);

bool contains_nul(std::span<const Value> parameters);

Error nul_error();
Error deadline_error();

}  // namespace integreat::postgres
