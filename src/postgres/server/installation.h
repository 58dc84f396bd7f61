// SPDX-License-Identifier: Apache-2.0
// The PostgreSQL installation of this machine, and the creation of data folders.
#pragma once

#include <filesystem>
#include <optional>

#include "base/process/child_process.h"
#include "base/result.h"
#include "base/secret.h"

namespace integreat::postgres {

constexpr int version_min = 15;
constexpr int version_max = 18;

// Differs from the name of our schema, to which "$user" in the default search_path would otherwise refer.
constexpr const char* superuser_name = "integreat_superuser";

struct Installation {
    std::filesystem::path binaries;  // Folder of initdb and postgres.
    int version = 0;
};

// Finds the newest installation, or the one that can read `data` if that folder contains a database already.
// Fault::invalid, with the command to install it, if there is none.
Result<Installation> find_installation(const std::filesystem::path& data);

// A database cluster to create, in the sense of initdb.
struct ClusterSpec {
    std::filesystem::path data;  // Created; must not exist.
    std::filesystem::path log;
    std::filesystem::path password_file;  // Readable by `account`.
    std::optional<UnixAccount> account;
    bool durable = true;
};

// Runs initdb. `data` appears only when it is complete.
Result<> initialize(const Installation& installation, const ClusterSpec& spec);

// Reads the end of a log, for the cause of an error.
std::string read_tail(const std::filesystem::path& log);

}  // namespace integreat::postgres
