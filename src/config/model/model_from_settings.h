// SPDX-License-Identifier: Apache-2.0
// Converts the settings of fields and collections to the parts of the model that need no other collection:
// types, limits and defaults. The checks (config/checks/) add everything with names to resolve: computed
// values, rules and transitions.
#pragma once

#include <string>
#include <vector>

#include "config/collections/collection_settings.h"
#include "config/model/model.h"

namespace integreat::config {

// Returns the field without its computed value. `settings` must have a type; other errors in it make a field
// that must not be used.
Field field_from_settings(const FieldSettings& settings);

// Returns a field that every record has: "id", "created_at".
Field make_system_field(std::string name, FieldType type);

// Returns the collection without fields, rules and transitions. `app_roles` are those of the manifest.
Collection collection_from_settings(const CollectionSettings& settings,
                                    const std::vector<std::string>& app_roles);

}  // namespace integreat::config
