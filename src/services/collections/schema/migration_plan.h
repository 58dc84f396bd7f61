// SPDX-License-Identifier: Apache-2.0
// From the tables as they are to those a model asks for: what would be done, what is dangerous about it, and
// doing it, in one transaction. What a manifest no longer has is kept, out of everybody's sight, until
// somebody allows that it goes. Several processes may apply at once: one waits for the other, and finds its
// work done.
//
// What is made carries a comment with the hash of its definition; by that a later plan knows it again,
// however Postgres spells expressions.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "config/model/model.h"
#include "postgres/driver/pool.h"

namespace integreat::collections {

enum class Danger {
    none,
    lock,       // Changes of the table wait while its records are looked through.
    rewrite,    // The table is written anew; everybody waits.
    data_loss,  // What is gone can only come from a backup.
};
std::string_view to_string(Danger danger);

struct PlannedStep {
    std::string sql;
    Danger danger = Danger::none;
    std::string sentence;
    bool of_server = false;  // About roles: carried out by who connected, everything else by the owner.
};

struct Plan {
    std::string fingerprint;
    std::vector<PlannedStep> steps;      // Empty: everything is as the model asks for.
    std::vector<PlannedStep> leftovers;  // Carried out only where data may be lost.
    std::vector<std::string> obstacles;  // Must be mended first.
    bool loses_data() const;             // One of `steps` does.
};

struct SchemaOrder {
    Secret url;              // Of a role that may: direct, not through a pooler.
    std::string login_role;  // Serves requests.
    std::string owner;       // Of all that is made; empty: the role of `url`.
    Monotonic until;         // Of the machine's steady clock.
    bool allow_destructive = false;
    std::string backup_note;  // Which backup there is, if so.
    std::chrono::milliseconds lock_timeout{5'000};
};

// Changes nothing.
Result<Plan> plan_tables(const Model& model, const SchemaOrder& order);

// The plan as it was carried out. Fault::conflict if there are obstacles, or data would be lost and that is
// not allowed; then nothing has changed.
Result<Plan> apply_plan(const Model& model, const SchemaOrder& order);

// One query: are the tables of this very model, and is the login role bound by their rules: it owns
// nothing, inherits nothing, may become the app's roles and nothing else. Fault::conflict if the model has
// to be applied first, Fault::invalid if the role is not safe.
Result<> check_tables(postgres::Pool& pool, const Model& model, Monotonic deadline);

}  // namespace integreat::collections
