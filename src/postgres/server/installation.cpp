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

constexpr std::chrono::seconds initialise_max{60};

// "15" of PG_VERSION, 0 if the folder holds no database.
int version_of_data(const fs::path& data) {
    std::ifstream file(data / "PG_VERSION");
    int version = 0;
    file >> version;
    return version;
}

bool complete(const fs::path& binaries) {
    return access((binaries / "postgres").c_str(), X_OK) == 0 &&
           access((binaries / "initdb").c_str(), X_OK) == 0;
}

// What `pg_config` says, for installations that are nowhere usual; 0 if it is not there.
Installation configured() {
    std::string answer;
    if (FILE* pipe = popen("pg_config --bindir --version 2>/dev/null", "re")) {
        char part[512];
        while (answer.size() < 4096 && fgets(part, sizeof(part), pipe))
            answer += part;
        pclose(pipe);
    }
    auto line_end = answer.find('\n');
    auto number = answer.find("PostgreSQL ");
    if (line_end == std::string::npos || number == std::string::npos) return {};
    Installation found{answer.substr(0, line_end)};
    const char* digits = answer.data() + number + 11;
    std::from_chars(digits, answer.data() + answer.size(), found.version);
    return found;
}

std::vector<Installation> installed() {
    std::vector<Installation> found;
    for (int version = version_max; version >= version_min; --version) {
        auto number = std::to_string(version);
        for (const auto& folder :
             {"/usr/lib/postgresql/" + number + "/bin", "/usr/pgsql-" + number + "/bin"}) {
            if (complete(folder)) found.push_back({folder, version});
        }
    }
    if (found.empty()) {
        auto other = configured();
        if (other.version >= version_min && other.version <= version_max && complete(other.binaries)) {
            found.push_back(other);
        }
    }
    return found;
}

// initdb would call fsync(2) for each of its thousand files: seconds on a slow disk. Once for all will do.
bool sync_file_system_of(const fs::path& folder) {
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
    int needed = version_of_data(data);
    if (needed == 0) return found.front();
    for (const auto& installation : found) {
        if (installation.version == needed) return installation;
    }
    auto number = std::to_string(needed);
    return Error{Fault::invalid,
                 "the data in " + data.string() + " were made by PostgreSQL " + number +
                     ", which is not installed: " + "run `apt-get install postgresql-" + number + "`",
                 "newest installed version is " + std::to_string(found.front().version)};
}

std::string tail_of(const fs::path& log) {
    std::ifstream file(log, std::ios::binary | std::ios::ate);
    if (!file) return "no log at " + log.string();
    auto size = static_cast<std::int64_t>(file.tellg());
    file.seekg(std::max<std::int64_t>(size - 800, 0));
    std::string text(static_cast<std::size_t>(std::min<std::int64_t>(size, 800)), '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    return log.string() + " ends: " + text;
}

Result<> initialise(const Installation& installation, const InitialSettings& settings) {
    auto unfinished = settings.data;
    unfinished += ".unfinished";
    std::error_code failure;
    fs::remove_all(unfinished, failure);
    Program program{.file = installation.binaries / "initdb",
                    .arguments = {"-D", unfinished.string(), "-U", superuser_name, "-A", "scram-sha-256",
                                  "--pwfile=" + settings.password_file.string(), "-E", "UTF8",
                                  "--locale=C.UTF-8", "--no-instructions", "--no-sync"},
                    .account = settings.account,
                    .log = settings.log,
                    .signal_when_orphaned = SIGKILL};
    if (!settings.durable) program.arguments.push_back("--wal-segsize=1");
    auto child = TRY(start(program));
    auto status = wait_for_exit(child, std::chrono::steady_clock::now() + initialise_max);
    if (!status) {
        kill(child, SIGKILL);
        wait_for_exit(child, std::chrono::steady_clock::now() + std::chrono::seconds(5));
    }
    if (!status || *status != 0) {
        return Error{Fault::unavailable, "a new database could not be made in " + settings.data.string(),
                     "initdb failed; " + tail_of(settings.log)};
    }
    if (settings.durable && !sync_file_system_of(unfinished)) {
        return Error{Fault::unavailable, "a new database could not be made in " + settings.data.string(),
                     std::string("syncfs: ") + std::strerror(errno)};
    }
    fs::rename(unfinished, settings.data, failure);
    if (failure) {
        return Error{Fault::unavailable, "a new database could not be made in " + settings.data.string(),
                     failure.message()};
    }
    return {};
}

}  // namespace integreat::postgres
