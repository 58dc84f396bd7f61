// SPDX-License-Identifier: Apache-2.0
// The databases of the platform and of its tenants. Each has a login role of its own that may connect to no
// other database, owns nothing, and is subject to row-level security. The objects belong to
// `integreat_owner`, a role without login. On the embedded server the databases are created here, from a
// migrated template; external ones are given by URL and checked for the same properties.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "postgres/databases/migrations.h"
#include "postgres/driver/pool.h"
#include "postgres/server/embedded_postgres.h"

namespace integreat::postgres {

struct DatabaseUrls {
    TenantId tenant;
    Secret url;     // DATABASE_URL_CAMPUS; connects as the role that serves requests.
    Secret direct;  // DATABASE_URL_CAMPUS_DIRECT; connects as a role that may migrate. Empty: no migration.
};

class DatabaseRegistry {
public:
    // Opens the databases on the embedded server; missing ones are created. The tenant and URL of `limits`
    // are ignored.
    static Result<std::unique_ptr<DatabaseRegistry>> open_embedded(EmbeddedPostgres& server,
                                                                   std::span<const TenantId> tenants,
                                                                   std::vector<Migration> migrations,
                                                                   const PoolSettings& limits,
                                                                   const Clock& clock, Random& random);

    // Opens databases on external servers, including that of the platform. A tenant's database that cannot be
    // reached is skipped and listed by unavailable(); one that is not safe to use is an error.
    static Result<std::unique_ptr<DatabaseRegistry>> open_external(std::vector<DatabaseUrls> urls,
                                                                   std::vector<Migration> migrations,
                                                                   const PoolSettings& limits,
                                                                   const Clock& clock);

    ~DatabaseRegistry();

    Pool& platform();
    // Returns the pool of a tenant, which lives as long as the registry; null if there is none.
    Pool* tenant(const TenantId& tenant);

    // Returns a URL for connections that LISTEN, which a transaction pooler does not support. Empty if
    // unknown.
    Secret listen_url(const TenantId& tenant);

    // Opens the database of a tenant that a reload added, or of one of unavailable(). Has no effect if it is
    // open already.
    Result<> add(const TenantId& tenant);
    std::vector<TenantId> unavailable() const;
    // Returns the counters of each pool, for metrics.
    std::map<TenantId, PoolCounters> counters() const;

private:
    struct State;
    explicit DatabaseRegistry(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace integreat::postgres
