// SPDX-License-Identifier: Apache-2.0
// Validates a manifest that has been read: names that the platform uses, routes, upstreams and collections;
// and manifests against each other.
#pragma once

#include <memory>
#include <span>

#include "config/diagnostics/diagnostics.h"
#include "config/manifest/manifest.h"
#include "config/model/model.h"
#include "config/settings/settings.h"

namespace integreat::config {

// A manifest with the document that locates its values.
struct ManifestDocument {
    Manifest manifest;
    Document document;
};

// Reports the errors in the manifest and compiles its collections to `manifest.model`, if there are no
// errors.
void check_manifest(ManifestDocument& read);

// Validates the manifests against each other and the settings: shared projects, limits beyond the platform's.
void check_manifests(std::span<ManifestDocument> manifests, const Settings& settings);

}  // namespace integreat::config
