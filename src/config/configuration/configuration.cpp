// SPDX-License-Identifier: Apache-2.0
#include "config/configuration/configuration.h"

#include <algorithm>
#include <iterator>

namespace integreat::config {

namespace {

void take_over(std::vector<Mistake>& all, std::vector<Mistake> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

Checked<Configuration> load_configuration(const Sources& sources, const json::Environment& environment) {
    Checked<Configuration> checked;
    checked.mistakes = sources.mistakes;
    if (sources.settings) {
        auto [settings, mistakes] =
            load_settings(sources.settings->text, sources.settings->file, environment);
        checked.value.settings = std::move(settings);
        take_over(checked.mistakes, std::move(mistakes));
    }
    if (sources.manifests.size() > apps_max) {
        checked.mistakes.push_back({checked.value.settings.apps_dir, 0, 0,
                                    "there are more than " + std::to_string(apps_max) + " manifests"});
        return checked;
    }
    std::vector<ManifestDocument> manifests;
    for (const auto& source : sources.manifests) {
        manifests.push_back(read_manifest(source.text, source.file, environment));
    }
    check_manifests(manifests, checked.value.settings);
    for (auto& [manifest, document] : manifests) {
        take_over(checked.mistakes, std::move(document.mistakes));
        checked.value.manifests.push_back(std::move(manifest));
    }
    std::sort(checked.value.manifests.begin(), checked.value.manifests.end(),
              [](const Manifest& left, const Manifest& right) { return left.app < right.app; });
    sort_by_place(checked.mistakes);
    return checked;
}

}  // namespace integreat::config
