// SPDX-License-Identifier: Apache-2.0
// Reads the configuration files: integreat.yaml in a folder, and a folder of manifests beside it. Only
// regular files are opened, and no more bytes are read than a document may have.
#pragma once

#include <filesystem>

#include "config/configuration/configuration.h"

namespace integreat::cli {

struct ConfigurationPaths {
    std::filesystem::path settings_file;  // Optional.
    std::filesystem::path apps_folder;
};

// Reads all files, with a diagnostic for each that cannot be read. integreat.yaml is optional.
config::Sources read_configuration(const std::filesystem::path& folder);

// Reads one file. Returns nothing, and adds a diagnostic, if it cannot be read.
std::optional<config::Source> read_source(const std::filesystem::path& file,
                                          std::vector<config::Diagnostic>& diagnostics);

// Returns the paths of the files, with the default folder of manifests if integreat.yaml is invalid.
ConfigurationPaths find_configuration_paths(const std::filesystem::path& folder);

// Returns the environment variables of this process.
const json::Environment& process_environment();

}  // namespace integreat::cli
