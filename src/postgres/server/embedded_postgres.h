// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL server of our own for development: a child process with its own data folder, reached by a
// Unix socket only, started again when it dies and stopped when we stop, even if we are killed. It leaves
// any other PostgreSQL on the machine alone.
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

struct PrivateServerSettings {
    std::filesystem::path folder;  // Holds everything of it: data, password, lock, log. Made if missing.
    bool durable = true;           // False only in tests: a crash of the machine may lose data.
    int connections_max = 200;
    std::chrono::milliseconds start_timeout{30'000};
    std::chrono::milliseconds stop_timeout{10'000};
    std::size_t log_bytes_max = 8 * 1024 * 1024;  // Of server.log and of server.log.1 each.
};

class PrivateServer {
public:
    // Returns when the server answers. Fault::conflict if another process runs it already.
    static Result<std::unique_ptr<PrivateServer>> start(PrivateServerSettings settings, Random& random);

    // Stops the server; open connections are ended.
    ~PrivateServer();
    PrivateServer(const PrivateServer&) = delete;

    // False while it is being started again. A server that hangs is found by those who ask it, not here.
    bool healthy() const;
    pid_t pid() const;     // Of the server as it runs now; 0 while it does not.
    int restarts() const;  // How often it died by itself.
    const std::filesystem::path& folder() const;

    // For its superuser: makes databases and roles. Nothing that serves requests connects with it.
    Secret superuser_url(const std::string& database) const;
    // The same of the server that another process runs on `folder`; Fault::unavailable if none does.
    static Result<Secret> superuser_url_of_running(const std::filesystem::path& folder,
                                                   const std::string& database);
    Secret url(const std::string& database, const std::string& role, const Secret& password) const;

private:
    struct State;
    explicit PrivateServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// 64 hex digits that cannot be guessed.
Secret random_password(Random& random);

}  // namespace integreat::postgres
