// SPDX-License-Identifier: Apache-2.0
// The databases that a configuration means: those of DATABASE_URL and DATABASE_URL_<APP>, or, where there
// is no such setting, those that `integreat dev` keeps in its data folder. And the way into them as their
// owner, for commands that change tables or look past the rules.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/system_clock.h"
#include "cli/runtime/configuration_commands.h"
#include "config/model/model.h"
#include "crypto/system_random.h"
#include "postgres/databases/registry.h"
#include "services/collections/schema/migration_plan.h"

namespace integreat::cli {

// "campus-east" → "DATABASE_URL_CAMPUS_EAST"
std::string url_variable(const TenantId& tenant);

// The platform's own first. Fault::invalid names the variable that is missing.
Result<std::vector<postgres::DatabaseUrls>> urls_of(const config::Configuration& configuration,
                                                    const json::Environment& environment);

postgres::PoolSettings pool_limits(const config::DatabaseSettings& settings);

// For the owner of a tenant's database in the server of `integreat dev`.
Result<collections::SchemaOrder> owner_of(const postgres::PrivateServer& server, const TenantId& app);

// The models of all apps that have collections.
std::vector<std::shared_ptr<const collections::Model>> models_of(const config::Configuration& configuration);

// Every app's tables become those of its manifest, unless data would be lost.
Result<> apply_models(const postgres::PrivateServer& server, postgres::Databases& databases,
                      const config::Configuration& configuration, const Clock& clock);

// Are every app's tables those of its manifest? Those whose database does not answer are left out.
Result<> check_models(postgres::Databases& databases, const config::Configuration& configuration,
                      const Clock& clock);

// One app's database for its owner, from the command line: migrated, whether `integreat dev` runs or not.
class OwnerAccess {
public:
    static Result<std::unique_ptr<OwnerAccess>> open(const config::Configuration& configuration,
                                                     const json::Environment& environment,
                                                     const std::filesystem::path& data, const TenantId& app);

    const collections::SchemaOrder& order() const { return order_; }
    // As the owner: not bound by any rule.
    postgres::Pool& pool() { return *pool_; }
    const Clock& clock() const { return clock_; }

private:
    Result<> open_given(const config::Configuration& configuration, const json::Environment& environment,
                        const TenantId& app);
    Result<> open_private(const config::Configuration& configuration, const std::filesystem::path& data,
                          const TenantId& app);

    SystemClock clock_;
    crypto::SystemRandom random_;
    std::unique_ptr<postgres::PrivateServer> server_;  // If nobody else runs it.
    collections::SchemaOrder order_;
    std::unique_ptr<postgres::Pool> pool_;
};

}  // namespace integreat::cli
