// SPDX-License-Identifier: Apache-2.0
// Loads the configuration: integreat.yaml and the manifests of the apps, each validated on its own and
// against the others. It receives the texts of the files and reads no file itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics/diagnostics.h"
#include "config/manifest/manifest.h"
#include "config/settings/settings.h"
#include "json/binding/reader.h"

namespace integreat::config {

struct Source {
    std::string file;  // File name in messages: "apps/campus.yaml".
    std::string text;
};

struct Sources {
    std::optional<Source> settings;  // Empty: all settings have their defaults.
    std::vector<Source> manifests;
    std::vector<Diagnostic> errors;  // Files that cannot be read.
};

struct Configuration {
    Settings settings;
    std::vector<Manifest> manifests;  // Sorted by name; each has its model.
};

inline constexpr std::size_t max_apps = 1'000;

// Reads and validates integreat.yaml.
Validated<Settings> load_settings(std::string_view text, const std::string& file,
                                  const json::Environment& environment);

// Reads and validates one manifest and compiles its model.
Validated<Manifest> load_manifest(std::string_view text, const std::string& file,
                                  const json::Environment& environment);

// Loads and validates the whole configuration. Errors and warnings are sorted by location.
Validated<Configuration> load_configuration(const Sources& sources, const json::Environment& environment);

}  // namespace integreat::config
