// SPDX-License-Identifier: Apache-2.0
// What our databases contain, as numbered steps that are carried out once each, all pending ones in one
// transaction. There are two kinds of database, the platform's own and one per tenant; a step says which
// it belongs to. What a step was is remembered by a checksum: a released step never changes, a new one is
// added. The table integreat.migrations holds what was done.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "postgres/driver/pool.h"

namespace integreat::postgres {

enum class DatabaseKind { platform, tenant };

// The platform's own tenant has the one, all others have the other.
DatabaseKind kind_of(const TenantId& tenant);

struct Migration {
    int number;
    std::string_view name;
    bool of_platform;
    bool of_tenants;
    std::string_view sql;
    // What the role that serves requests may do with it, {app} standing for its name. Not part of the
    // checksum: rights are given anew after each change.
    std::string_view grants;
};

// In ascending order of their numbers (schema.cpp).
std::span<const Migration> migrations();

// 16 hex digits.
std::string checksum_of(const Migration& migration);

struct MigrationOrder {
    Secret url;  // Of a role that may: direct, not through a pooler.
    DatabaseKind kind = DatabaseKind::tenant;
    std::string app_role;  // Serves requests afterwards; empty: nobody yet.
    std::string owner;     // Will own what is made; empty: the role of `url` itself.
    Monotonic until;       // Of the machine's steady clock.
    std::span<const Migration> steps = migrations();
};

// Carries out what is pending; how many steps that were. Several processes may do so at once: one waits for
// the other. Fault::conflict if the database is newer than this program or a step of it has been changed.
Result<int> migrate(const MigrationOrder& order);

// Asks whether `pool` leads to a database in exactly the state this program needs, as a role that row-level
// security binds. `pending` counts the steps still to be done, if that is all that is wrong.
struct DatabaseState {
    int pending = 0;
};
Result<DatabaseState> check_database(Pool& pool, DatabaseKind kind, Monotonic deadline);

}  // namespace integreat::postgres
