// SPDX-License-Identifier: Apache-2.0
// The running `integreat dev` of a data folder, as described in its running.json.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace integreat::cli {

struct RunningInstance {
    int pid = 0;
    std::string gateway;
    std::string firebase;
    std::string aws;
};

// Returns ".integreat". For root in a folder that other users may not traverse (such as /root), returns
// "/var/lib/integreat", since Postgres never runs as root and must reach its data.
std::filesystem::path default_data_folder();

// Returns the topmost parent of `folder` that other users may not traverse; empty if there is none.
std::filesystem::path find_untraversable_parent(const std::filesystem::path& folder);

// Returns nothing if the file is missing or its process has ended.
std::optional<RunningInstance> find_running_instance(const std::filesystem::path& data);

inline constexpr const char* running_file = "running.json";

// File with the platform's API key that commands use for the admin API; beside running.json.
inline constexpr const char* operator_key_file = "operator.key";

}  // namespace integreat::cli
