// SPDX-License-Identifier: Apache-2.0
// The databases of a configuration: those of DATABASE_URL and DATABASE_URL_<APP>, or, without this setting,
// those in the data folder of `integreat dev`. Also connects to them as their owner, for commands that
// migrate tables or bypass row-level security.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/system_clock.h"
#include "cli/runtime/command_context.h"
#include "config/configuration/configuration.h"
#include "crypto/system_random.h"
#include "postgres/databases/registry.h"
#include "services/collections/schema/migration_plan.h"
#include "services/collections/schema/verify_schema.h"

namespace integreat::cli {

// Returns the variable of a tenant's database: "campus-east" → "DATABASE_URL_CAMPUS_EAST".
std::string url_variable(const TenantId& tenant);

// Returns the URLs of all databases, the platform's own first. Fault::invalid names a missing variable.
Result<std::vector<postgres::DatabaseUrls>> find_database_urls(const config::Configuration& configuration,
                                                               const json::Environment& environment);

postgres::PoolSettings to_pool_settings(const config::DatabaseSettings& settings);

// Returns the options for migrating a tenant's database in the embedded Postgres of `integreat dev`.
Result<collections::MigrationOptions> make_owner_options(const postgres::EmbeddedPostgres& server,
                                                         const TenantId& app);

// Returns the models of all apps that have collections.
std::vector<std::shared_ptr<const config::Model>> find_models(const config::Configuration& configuration);

// Migrates every app's tables to its manifest, unless data would be lost.
Result<> migrate_databases(const postgres::EmbeddedPostgres& server, postgres::DatabaseRegistry& databases,
                           const config::Configuration& configuration, const Clock& clock);

// Checks that every app's tables match its manifest. Apps whose database is unavailable are skipped.
Result<> verify_databases(postgres::DatabaseRegistry& databases, const config::Configuration& configuration,
                          const Clock& clock);

// A connection to one app's database as its owner. The platform's own migrations are applied first. Works
// whether `integreat dev` runs or not.
class OwnerAccess {
public:
    static Result<std::unique_ptr<OwnerAccess>> open(const config::Configuration& configuration,
                                                     const json::Environment& environment,
                                                     const std::filesystem::path& data, const TenantId& app);

    const collections::MigrationOptions& migration_options() const { return options_; }
    // Connects as the owner, which bypasses row-level security.
    postgres::Pool& pool() { return *pool_; }
    const Clock& clock() const { return clock_; }

private:
    Result<> open_external(const config::Configuration& configuration, const json::Environment& environment,
                           const TenantId& app);
    Result<> open_embedded(const config::Configuration& configuration, const std::filesystem::path& data,
                           const TenantId& app);

    SystemClock clock_;
    crypto::SystemRandom random_;
    std::unique_ptr<postgres::EmbeddedPostgres> server_;  // Null if `integreat dev` already runs it.
    collections::MigrationOptions options_;
    std::unique_ptr<postgres::Pool> pool_;
};

}  // namespace integreat::cli
