// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/session_statements.h"

#include <algorithm>

namespace integreat::postgres {

using std::chrono::milliseconds;

milliseconds server_timeout(milliseconds left) {
    return std::max(milliseconds(1), left - std::min(left / 10, milliseconds(50)));
}

bool is_plan_lost(std::string_view sqlstate) {
    return sqlstate == "0A000" || sqlstate == "26000" || sqlstate == "42P05";
}

bool contains_nul(std::span<const Value> parameters) {
    return std::any_of(parameters.begin(), parameters.end(),
                       [](const Value& value) { return value && value->find('\0') != std::string::npos; });
}

Error nul_error() {
    return {Fault::invalid, "text must be UTF-8 without NUL characters",
            "a parameter contains a NUL character"};
}

Error deadline_error() {
    return {Fault::unavailable, "the database did not respond in time; try again later",
            "the deadline passed before the statement was sent"};
}

}  // namespace integreat::postgres
