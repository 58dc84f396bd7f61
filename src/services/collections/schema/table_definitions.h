// SPDX-License-Identifier: Apache-2.0
// The tables, rules and triggers that a model asks for, as SQL. Tables are compared with what is there
// (plan.h) and changed; rules, guards and rights are made anew whenever anything of them differs.
//
// Each collection is a table "data"."<name>" of the owner's, with row-level security. A list in its default
// order (Collection::sort, then id in the direction of the last key, Postgres' own order of nulls) is
// served by an index, also when only the records of one owner, reference or state are asked for.
#pragma once

#include <string>
#include <vector>

#include "config/model/model.h"

namespace integreat::collections {

struct Column {
    std::string name;
    std::string type;  // As format_type() says it.
    bool required = false;
    std::string default_sql;    // Empty: none.
    std::string generated_sql;  // Empty: not generated.
};

// A constraint or an index: made, compared and dropped as a whole.
struct Attachment {
    std::string name;
    std::string sql;  // "CHECK (...)", "FOREIGN KEY (...) ...", or what follows CREATE [UNIQUE] INDEX name.
};

struct Table {
    std::string name;
    std::vector<Column> columns;
    std::vector<Attachment> checks;
    std::vector<Attachment> references;
    std::vector<Attachment> unique;
    std::vector<Attachment> indexes;
    // Of each column that is kept true by a trigger: how it is brought up to date as a whole.
    std::vector<Attachment> refills;
};

struct Desired {
    std::vector<std::string> roles;      // Of the database, one per role of the app.
    std::vector<Table> tables;           // In the order of the model.
    std::vector<std::string> functions;  // CREATE FUNCTION ...
    std::vector<std::string> triggers;   // CREATE TRIGGER ...
    std::vector<std::string> access;     // CREATE POLICY ..., GRANT ...
};

Desired desired_of(const Model& model);

// 16 hex digits over all of it: equal if the same would be made.
std::string fingerprint_of(const Desired& desired);

// 16 hex digits over all that would be made in the database (tables.h): equal for equal tables, rules and
// guards.
std::string fingerprint_of(const Model& model);

// "numeric(5,2)", as format_type() says it.
std::string type_of(const Field& field);

// Parts of desired_of.
Table table_for(const Model& model, const Collection& collection);
void add_guard(Desired& desired, const Model& model, const Collection& collection);
void add_rollups(Desired& desired, const Model& model, const Collection& collection);

}  // namespace integreat::collections
