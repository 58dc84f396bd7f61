// SPDX-License-Identifier: Apache-2.0
// The `integreat dev` that runs on a data folder now, as it described itself in running.json.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace integreat::cli {

struct Running {
    int pid = 0;
    std::string gateway;
    std::string firebase;
    std::string aws;
};

// ".integreat" here; for root in a folder that others may not pass (/root is one), /var/lib/integreat: the
// database never runs as root and must get to its data.
std::filesystem::path default_data_folder();

// The topmost folder on the way to `folder` that others may not pass; empty if there is none.
std::filesystem::path closed_parent(const std::filesystem::path& folder);

// Nothing if the file is missing or its process is gone.
std::optional<Running> find_running(const std::filesystem::path& data);

inline constexpr const char* running_file = "running.json";

// The API key of the platform that our own commands call the admin routes with; beside running.json.
inline constexpr const char* operator_key_file = "operator.key";

}  // namespace integreat::cli
