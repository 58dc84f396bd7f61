// SPDX-License-Identifier: Apache-2.0
#include "postgres/server/installation.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

namespace integreat::postgres {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds initialize_max{60};

// Reads the major version from PG_VERSION; 0 if the folder contains no database.
int read_data_version(const fs::path& data) {
    std::ifstream file(data / "PG_VERSION");
    int version = 0;
    file >> version;
    return version;
}

bool is_complete(const fs::path& binaries) {
    return access((binaries / "postgres").c_str(), X_OK) == 0 &&
           access((binaries / "initdb").c_str(), X_OK) == 0;
}

// Asks `pg_config`, for installations in unusual folders; version 0 if there is none.
Installation find_by_pg_config() {
    std::string output;
    if (FILE* pipe = popen("pg_config --bindir --version 2>/dev/null", "re")) {
        char chunk[512];
        while (output.size() < 4096 && fgets(chunk, sizeof(chunk), pipe))
            output += chunk;
        pclose(pipe);
    }
    auto line_end = output.find('\n');
    auto number = output.find("PostgreSQL ");
    if (line_end == std::string::npos || number == std::string::npos) return {};
    Installation found{output.substr(0, line_end)};
    const char* digits = output.data() + number + 11;
    std::from_chars(digits, output.data() + output.size(), found.version);
    return found;
}

std::vector<Installation> installed() {
    std::vector<Installation> found;
    for (int version = version_max; version >= version_min; --version) {
        auto number = std::to_string(version);
        for (const auto& folder :
             {"/usr/lib/postgresql/" + number + "/bin", "/usr/pgsql-" + number + "/bin"}) {
            if (is_complete(folder)) found.push_back({folder, version});
        }
    }
    if (found.empty()) {
        auto other = find_by_pg_config();
        if (other.version >= version_min && other.version <= version_max && is_complete(other.binaries)) {
            found.push_back(other);
        }
    }
    return found;
}

// initdb would call fsync(2) for each of its thousand files, which takes seconds on a slow disk.
bool sync_file_system(const fs::path& folder) {
    int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return false;
    bool synced = syncfs(file) == 0;
    close(file);
    return synced;
}

}  // namespace

Result<Installation> find_installation(const fs::path& data) {
    auto found = installed();
    if (found.empty()) {
        return Error{Fault::invalid, "PostgreSQL is not installed: run `apt-get install postgresql`",
                     "no initdb and postgres of version 15 to 18 found"};
    }
    int needed = read_data_version(data);
    if (needed == 0) return found.front();
    for (const auto& installation : found) {
        if (installation.version == needed) return installation;
    }
    auto number = std::to_string(needed);
    return Error{Fault::invalid,
                 "the data in " + data.string() + " were created by PostgreSQL " + number +
                     ", which is not installed: " + "run `apt-get install postgresql-" + number + "`",
                 "newest installed version is " + std::to_string(found.front().version)};
}

std::string read_tail(const fs::path& log) {
    std::ifstream file(log, std::ios::binary | std::ios::ate);
    if (!file) return "no log at " + log.string();
    auto size = static_cast<std::int64_t>(file.tellg());
    file.seekg(std::max<std::int64_t>(size - 800, 0));
    std::string text(static_cast<std::size_t>(std::min<std::int64_t>(size, 800)), '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    return log.string() + " ends with: " + text;
}

Result<> initialize(const Installation& installation, const ClusterSpec& spec) {
    auto unfinished = spec.data;
    unfinished += ".unfinished";
    std::error_code failure;
    fs::remove_all(unfinished, failure);
    ProcessSpec initdb{.executable = installation.binaries / "initdb",
                       .arguments = {"-D", unfinished.string(), "-U", superuser_name, "-A", "scram-sha-256",
                                     "--pwfile=" + spec.password_file.string(), "-E", "UTF8",
                                     "--locale=C.UTF-8", "--no-instructions", "--no-sync"},
                       .account = spec.account,
                       .log_file = spec.log,
                       .parent_death_signal = SIGKILL};
    if (!spec.durable) initdb.arguments.push_back("--wal-segsize=1");
    auto child = TRY(spawn(initdb));
    auto status = wait_for_exit(child, std::chrono::steady_clock::now() + initialize_max);
    if (!status) {
        kill(child, SIGKILL);
        wait_for_exit(child, std::chrono::steady_clock::now() + std::chrono::seconds(5));
    }
    if (!status || *status != 0) {
        return Error{Fault::unavailable, "a new database could not be created in " + spec.data.string(),
                     "initdb failed; " + read_tail(spec.log)};
    }
    if (spec.durable && !sync_file_system(unfinished)) {
        return Error{Fault::unavailable, "a new database could not be created in " + spec.data.string(),
                     std::string("syncfs: ") + std::strerror(errno)};
    }
    fs::rename(unfinished, spec.data, failure);
    if (failure) {
        return Error{Fault::unavailable, "a new database could not be created in " + spec.data.string(),
                     failure.message()};
    }
    return {};
}

}  // namespace integreat::postgres
