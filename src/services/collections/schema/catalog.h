// SPDX-License-Identifier: Apache-2.0
// The tables of an app as Postgres' own catalog has them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "postgres/driver/connection.h"

namespace integreat::collections {

struct FoundColumn {
    std::string type;
    bool required = false;
    bool generated = false;
    std::string comment;
};

struct FoundTable {
    bool has_records = false;
    bool row_security = false;
    std::string comment;
    std::map<std::string, FoundColumn> columns;
    std::map<std::string, std::string> checks, references, unique, indexes;  // Name and comment.
};

struct Found {
    std::string fingerprint;  // Of the model applied last; empty: none.
    std::map<std::string, FoundTable> tables;
    std::set<std::string> roles;  // Of the server.
    std::set<std::string> login_may_become;
    bool login_inherits = false;
    std::vector<std::string> policies;   // DROP POLICY ... of all of ours.
    std::vector<std::string> triggers;   // DROP TRIGGER ...
    std::vector<std::string> functions;  // DROP FUNCTION ...
};

Result<Found> find_tables(postgres::Connection& connection, const std::string& login_role, Monotonic until);

// Does a record of the table have none?
Result<bool> has_nulls(postgres::Connection& connection, const std::string& table, const std::string& column,
                       Monotonic until);

}  // namespace integreat::collections
