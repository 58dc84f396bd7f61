// SPDX-License-Identifier: Apache-2.0
// Generates the TypeScript client of one app: a type for each collection's records and a class with its
// operations. Code shared by all apps is in sdk/js, which the generated module imports.
#pragma once

#include <string>

#include "services/collections/model.h"

namespace integreat::collections {

// `runtime` is the module specifier of sdk/js: "@integreat/client". If records have files, the storage module
// is exported as well.
std::string generate_typescript(const Model& model, const std::string& runtime);

}  // namespace integreat::collections
