// SPDX-License-Identifier: Apache-2.0
#include "config/configuration/configuration.h"

#include <algorithm>
#include <iterator>

namespace integreat::config {

namespace {

void append(std::vector<Diagnostic>& all, std::vector<Diagnostic> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

Validated<Configuration> load_configuration(const Sources& sources, const json::Environment& environment) {
    Validated<Configuration> checked;
    checked.errors = sources.errors;
    if (sources.settings) {
        auto settings = load_settings(sources.settings->text, sources.settings->file, environment);
        checked.value.settings = std::move(settings.value);
        append(checked.errors, std::move(settings.errors));
        append(checked.warnings, std::move(settings.warnings));
    }
    if (sources.manifests.size() > max_apps) {
        checked.errors.push_back({checked.value.settings.apps_dir, 0, 0,
                                  "there are more than " + std::to_string(max_apps) + " manifests"});
        return checked;
    }
    std::vector<ManifestDocument> manifests;
    for (const auto& source : sources.manifests) {
        manifests.push_back(read_manifest(source.text, source.file, environment));
    }
    check_manifests(manifests, checked.value.settings);
    for (auto& [manifest, document] : manifests) {
        append(checked.errors, std::move(document.errors));
        append(checked.warnings, std::move(document.warnings));
        checked.value.manifests.push_back(std::move(manifest));
    }
    std::sort(checked.value.manifests.begin(), checked.value.manifests.end(),
              [](const Manifest& left, const Manifest& right) { return left.app < right.app; });
    sort_by_location(checked.errors);
    sort_by_location(checked.warnings);
    return checked;
}

}  // namespace integreat::config
