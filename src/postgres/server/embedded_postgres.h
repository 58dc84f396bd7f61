// SPDX-License-Identifier: Apache-2.0
// A private PostgreSQL server for development: a child process with its own data folder that is reachable
// only through a Unix socket. It is restarted after a crash and stopped when this process ends, even if that
// is killed. Other PostgreSQL servers on the machine are not affected.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include <sys/types.h>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace integreat::postgres {

struct EmbeddedPostgresSettings {
    std::filesystem::path folder;  // Data, password, lock and log of the server; created if missing.
    bool durable = true;           // False only in tests: a crash of the machine may lose data.
    int max_connections = 200;
    std::chrono::milliseconds start_timeout{30'000};
    std::chrono::milliseconds stop_timeout{10'000};
    std::size_t log_bytes_max = 8 * 1024 * 1024;  // For server.log and server.log.1 each.
};

class EmbeddedPostgres {
public:
    // Starts the server and returns when it accepts connections. Fault::conflict if another process runs it
    // already.
    static Result<std::unique_ptr<EmbeddedPostgres>> start(EmbeddedPostgresSettings settings, Random& random);

    // Stops the server and ends open connections.
    ~EmbeddedPostgres();
    EmbeddedPostgres(const EmbeddedPostgres&) = delete;

    // Returns false while the server is being restarted. Does not detect a server that hangs; queries do.
    bool healthy() const;
    pid_t pid() const;     // Process ID of the server; 0 while it is not running.
    int restarts() const;  // Number of crashes.
    const std::filesystem::path& folder() const;

    // Returns a URL for the superuser, who creates databases and roles. Nothing that serves requests uses it.
    Secret superuser_url(const std::string& database) const;
    // Returns the same for the server that another process runs on `folder`; Fault::unavailable if there is
    // none.
    static Result<Secret> superuser_url_of_running(const std::filesystem::path& folder,
                                                   const std::string& database);
    Secret url(const std::string& database, const std::string& role, const Secret& password) const;

private:
    struct State;
    explicit EmbeddedPostgres(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Generates an unguessable password of 64 hex digits.
Secret random_password(Random& random);

}  // namespace integreat::postgres
