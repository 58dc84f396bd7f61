// SPDX-License-Identifier: Apache-2.0
// Plans and applies migrations from the current tables to those of a model, in one transaction, with the risk
// of each step. Tables and columns that the manifest no longer has are retired: kept, but hidden, until
// dropping them is allowed. Several processes may apply concurrently: one waits for the other and then has
// nothing left to do.
//
// Every created object carries a comment with the hash of its definition, so that a later plan recognizes it
// even though Postgres rewrites expressions.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "postgres/databases/migrations.h"
#include "services/collections/model.h"

namespace integreat::collections {

// The migrations of the objects that all collections share: services/collections/schema/migrations/*.sql.
// They precede the plans of the tables.
std::span<const postgres::Migration> collections_migrations();

enum class MigrationRisk {
    none,
    lock,       // Writes to the table wait while its records are scanned.
    rewrite,    // The table is rewritten; all access waits.
    data_loss,  // Lost data can be restored from a backup only.
};
std::string_view to_string(MigrationRisk risk);

struct MigrationStep {
    std::string sql;
    MigrationRisk risk = MigrationRisk::none;
    std::string description;
    bool as_connecting_role =
        false;  // Run by the connecting role, because it changes roles; other steps run as the owner.
};

struct MigrationPlan {
    std::string fingerprint;
    std::vector<MigrationStep> steps;    // Empty if the tables match the model.
    std::vector<MigrationStep> retired;  // Drops of retired objects: applied only with `allow_destructive`.
    std::vector<std::string> blockers;   // Problems that prevent the migration.
    bool loses_data() const;             // Returns whether one of `steps` loses data.
};

struct MigrationOptions {
    Secret url;  // Direct connection, not through a pooler, as a role that may create tables and roles.
    std::string login_role;  // Role that serves requests.
    std::string owner;       // Owner of all created objects; empty for the role of `url`.
    Monotonic deadline;      // By the system's steady clock.
    bool allow_destructive = false;
    std::string backup_note;  // Location of the backup; required with `allow_destructive`.
    std::chrono::milliseconds lock_timeout{5'000};
};

// Returns the plan without applying it.
Result<MigrationPlan> plan_migration(const Model& model, const MigrationOptions& options);

// Applies the migration and returns its plan. Fails with Fault::conflict, without any change, if there are
// blockers or data would be lost without permission.
Result<MigrationPlan> apply_migration(const Model& model, const MigrationOptions& options);

}  // namespace integreat::collections
