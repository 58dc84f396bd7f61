// SPDX-License-Identifier: Apache-2.0
// All of the configuration: integreat.yaml and the manifests of the apps, checked each for itself and
// against each other. Nothing here touches a file: whoever reads them hands in their texts.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics/diagnostics.h"
#include "config/manifest/manifest.h"
#include "config/settings/settings.h"
#include "json/binding/reader.h"

namespace integreat::config {

struct Source {
    std::string file;  // As messages shall call it: "apps/campus.yaml".
    std::string text;
};

struct Sources {
    std::optional<Source> settings;  // Without it, every setting has its default.
    std::vector<Source> manifests;
    std::vector<Mistake> mistakes;  // Files that could not be read.
};

struct Configuration {
    Settings settings;
    std::vector<Manifest> manifests;  // By name.
};

inline constexpr std::size_t apps_max = 1'000;

Checked<Settings> load_settings(std::string_view text, const std::string& file,
                                const json::Environment& environment);

Checked<Manifest> load_manifest(std::string_view text, const std::string& file,
                                const json::Environment& environment);

// A manifest that has been read, and where it says what.
struct ManifestDocument {
    Manifest manifest;
    Document document;
};
ManifestDocument read_manifest(std::string_view text, const std::string& file,
                               const json::Environment& environment);

// What only shows beside the others and the settings: projects used twice, limits beyond the platform's.
void check_manifests(std::span<ManifestDocument> manifests, const Settings& settings);

// Everything at once, mistakes in the order of their places.
Checked<Configuration> load_configuration(const Sources& sources, const json::Environment& environment);

}  // namespace integreat::config
