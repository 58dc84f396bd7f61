// SPDX-License-Identifier: Apache-2.0
// What only shows when the collections of a manifest are looked at together: names that nothing bears, keys
// that say nothing where they stand, rules that leave a door open or a field without anyone to fill it.
#pragma once

#include <string>

#include "config/diagnostics/diagnostics.h"
#include "config/manifest/manifest.h"

namespace integreat::config {

void check_collections(Document& document, const Manifest& manifest);

// One of them, while it is looked at.
struct CollectionCheck {
    Document& document;
    const Manifest& manifest;
    const CollectionSettings& collection;
    std::string pointer;  // "/collections/students"

    void complain(std::string_view below, std::string message) const;  // `below` as in "/fields/name/type".
};

void check_fields(const CollectionCheck& check);
void check_lifecycle(const CollectionCheck& check);
void check_access(const CollectionCheck& check);
// Rules of a transition; `below` is its list: "/transitions/enroll/allow".
void check_allow(const CollectionCheck& check, const TransitionSettings& transition);

// Reports the names of a list that the collection has no field for; true if all are known.
bool check_field_names(const CollectionCheck& check, const std::vector<std::string>& names,
                       const std::string& below);

}  // namespace integreat::config
