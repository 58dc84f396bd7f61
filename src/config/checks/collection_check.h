// SPDX-License-Identifier: Apache-2.0
// The check of one collection: its settings, the document that errors are reported to, and the compiled
// collection. A check adds to it all that it resolves, so that no path or expression is parsed again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics/diagnostics.h"
#include "config/manifest/manifest.h"
#include "config/model/model.h"

namespace integreat::config {

struct CollectionCheck {
    Document& document;
    const Manifest& manifest;
    const CollectionSettings& collection;
    const std::vector<std::string>& roles;  // Model::roles.
    Collection& compiled;                   // Usable only if no error was reported.
    std::string pointer;                    // "/collections/students"

    // Reports an error at a pointer relative to the collection: "/fields/name/type".
    void report(std::string_view relative_pointer, std::string message) const;
};

// Reports names that are not fields of the collection. Returns true if all are fields.
bool check_field_names(const CollectionCheck& check, const std::vector<std::string>& names,
                       const std::string& relative_pointer);

}  // namespace integreat::config
