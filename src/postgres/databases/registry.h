// SPDX-License-Identifier: Apache-2.0
// The databases of the platform and of its tenants: each its own, reached by a login role of its own that
// may connect to no other, owns nothing, and is bound by row-level security. What it uses belongs to
// `integreat_owner`, which nobody can log in as. With a private server they are made here, from a migrated
// template; elsewhere their URLs are given, and the same is checked.
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

// "platform" and "tenant_campus"; the login role adds "_app". Fault::invalid for a name that is not a
// manifest's: lower-case letters, digits and dashes, at most 40.
Result<std::string> database_name(const TenantId& tenant);
std::string login_role(const std::string& database);

struct NewDatabase {
    std::string name;
    DatabaseKind kind = DatabaseKind::tenant;
    Secret password;            // Of its login role.
    bool keep_template = true;  // The next of its kind is then a matter of milliseconds.
};

// Makes the database with its login role, or finishes and repairs what exists: rights, migrations, password.
Result<> create_database(const PrivateServer& server, const NewDatabase& wanted, Monotonic until);

struct DatabaseUrls {
    TenantId tenant;
    Secret url;     // DATABASE_URL_CAMPUS; of the role that serves requests.
    Secret direct;  // DATABASE_URL_CAMPUS_DIRECT; of a role that may migrate. Empty: it is only checked.
};

class Databases {
public:
    // Of the private server: what is missing is made. `limits` has the numbers of each pool.
    static Result<std::unique_ptr<Databases>> open_private(PrivateServer& server,
                                                           std::span<const TenantId> tenants,
                                                           const PoolSettings& limits, const Clock& clock,
                                                           Random& random);

    // Of others' servers. The platform's own must be among them. A tenant's that does not answer is left
    // out and listed by absent(), one that is not safe to serve from is an error.
    static Result<std::unique_ptr<Databases>> open_given(std::vector<DatabaseUrls> urls,
                                                         const PoolSettings& limits, const Clock& clock);

    ~Databases();

    Pool& platform();
    // Null if there is none. Lives as long as this.
    Pool* tenant(const TenantId& tenant);

    // Of a connection that can LISTEN: what a transaction pooler may stand before cannot.
    // Empty if no such URL is known.
    Secret listening_url(const TenantId& tenant);

    // For a tenant that a reload brought, or one of absent(): again safe to call for one that is there.
    Result<> add(const TenantId& tenant);
    std::vector<TenantId> absent() const;
    // Of each pool, for metrics.
    std::map<TenantId, PoolCounters> counters() const;

private:
    struct State;
    explicit Databases(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace integreat::postgres
