// SPDX-License-Identifier: Apache-2.0
// The PostgreSQL that is installed on this machine, and a data folder made with it.
#pragma once

#include <filesystem>
#include <optional>

#include "base/process/child_process.h"
#include "base/result.h"
#include "base/secret.h"

namespace integreat::postgres {

constexpr int version_min = 15;
constexpr int version_max = 18;

// Not the name of our schema, which "$user" in the default search_path would then mean.
constexpr const char* superuser_name = "integreat_superuser";

struct Installation {
    std::filesystem::path binaries;  // The folder with initdb and postgres.
    int version = 0;
};

// The newest one found, or the one that can read `data` if that folder holds a database already.
// Fault::invalid
// with the command that mends it if there is none.
Result<Installation> find_installation(const std::filesystem::path& data);

struct InitialSettings {
    std::filesystem::path data;  // Made here; must not exist.
    std::filesystem::path log;
    std::filesystem::path password_file;  // Readable by `account`.
    std::optional<Account> account;
    bool durable = true;
};

// initdb. All or nothing: `data` appears when it is complete.
Result<> initialise(const Installation& installation, const InitialSettings& settings);

// The last lines of a log, for the cause of an error.
std::string tail_of(const std::filesystem::path& log);

}  // namespace integreat::postgres
