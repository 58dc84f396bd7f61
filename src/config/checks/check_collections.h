// SPDX-License-Identifier: Apache-2.0
// Validates the collections of a manifest as a whole: undefined names, keys without effect, rules that grant
// too much, and fields that no role can fill.
#pragma once

#include <string>

#include "config/diagnostics/diagnostics.h"
#include "config/manifest/manifest.h"

namespace integreat::config {

void check_collections(Document& document, const Manifest& manifest);

// The check of one collection.
struct CollectionCheck {
    Document& document;
    const Manifest& manifest;
    const CollectionSettings& collection;
    std::string pointer;  // "/collections/students"

    // Reports an error at a pointer relative to the collection: "/fields/name/type".
    void report(std::string_view relative_pointer, std::string message) const;
};

void check_fields(const CollectionCheck& check);
void check_lifecycle(const CollectionCheck& check);
void check_access(const CollectionCheck& check);
// Checks the access rules of a transition.
void check_allow(const CollectionCheck& check, const TransitionSettings& transition);

// Reports names that are not fields of the collection. Returns true if all are fields.
bool check_field_names(const CollectionCheck& check, const std::vector<std::string>& names,
                       const std::string& relative_pointer);

}  // namespace integreat::config
