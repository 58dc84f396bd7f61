// SPDX-License-Identifier: Apache-2.0
// Reads the current tables, constraints, policies and roles of an app from the Postgres catalog.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "postgres/driver/connection.h"

namespace integreat::collections {

struct CurrentColumn {
    std::string type;
    bool required = false;
    bool generated = false;
    std::string comment;
};

struct CurrentTable {
    bool has_records = false;
    bool row_security = false;
    std::string comment;
    std::map<std::string, CurrentColumn> columns;
    std::map<std::string, std::string> checks, references, unique, indexes;  // Comment by name.
};

struct CurrentSchema {
    std::string fingerprint;  // Fingerprint of the last applied model; empty if none.
    std::map<std::string, CurrentTable> tables;
    std::set<std::string> roles;              // All roles of the server.
    std::set<std::string> login_memberships;  // Roles the login role is a member of.
    bool login_inherits = false;
    std::vector<std::string> policies;   // DROP POLICY ... for each policy of the platform.
    std::vector<std::string> triggers;   // DROP TRIGGER ...
    std::vector<std::string> functions;  // DROP FUNCTION ...
};

Result<CurrentSchema> read_current_schema(postgres::Connection& connection, const std::string& login_role,
                                          Monotonic until);

// Returns whether a record of the table has NULL in the column.
Result<bool> has_nulls(postgres::Connection& connection, const std::string& table, const std::string& column,
                       Monotonic until);

}  // namespace integreat::collections
