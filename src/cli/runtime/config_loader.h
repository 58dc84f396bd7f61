// SPDX-License-Identifier: Apache-2.0
// The configuration where it lies: integreat.yaml in a folder, and a folder of manifests beside it. Only
// regular files are opened, and never more of them is read than a document may have.
#pragma once

#include <filesystem>

#include "config/configuration/configuration.h"

namespace integreat::cli {

struct ConfigurationPlace {
    std::filesystem::path settings_file;  // Need not exist.
    std::filesystem::path apps_folder;
};

// The texts of all files, and a mistake for each that cannot be read. integreat.yaml may be absent.
config::Sources read_configuration(const std::filesystem::path& folder);

// One file of people's, or a mistake that says why it cannot be read.
std::optional<config::Source> read_source(const std::filesystem::path& file,
                                          std::vector<config::Mistake>& mistakes);

// Where they are, as far as integreat.yaml can be understood.
ConfigurationPlace place_of_configuration(const std::filesystem::path& folder);

// The variables of this process.
const json::Environment& process_environment();

}  // namespace integreat::cli
