// SPDX-License-Identifier: Apache-2.0
// For tests only: a real database each, cloned in milliseconds from a migrated template, in a server that
// is started once per test program and gone with it. Any number of test programs may do so at once.
#pragma once

#include "postgres/driver/pool.h"
#include "postgres/server/embedded_postgres.h"

namespace integreat::postgres::testing {

struct TestDatabase {
    PoolSettings pool;  // As the login role that serves requests; `pool.tenant` is the tenant asked for.
    std::string name;
    std::string role;  // That login role, which the databases of one kind share here.
    Secret superuser_url;
};

// A database of `tenant`: the platform's own, or one of an application. Stops the program if it
// cannot be had.
TestDatabase fresh_database(const TenantId& tenant = platform_tenant);

// The server of fresh_database. A test that harms its server starts one of its own with start_server.
PrivateServer& shared_server();

// A server in a folder of its own, removed when it goes.
struct OwnServer {
    std::filesystem::path folder;
    std::unique_ptr<PrivateServer> server;
    ~OwnServer();
};
std::unique_ptr<OwnServer> start_server();
TestDatabase fresh_database(PrivateServer& server, const TenantId& tenant = platform_tenant);

}  // namespace integreat::postgres::testing
