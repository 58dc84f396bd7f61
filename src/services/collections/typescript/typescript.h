// SPDX-License-Identifier: Apache-2.0
// A client of one app in TypeScript: a type for each collection's records, and a class with what the app
// allows to be done with them. What is the same for all apps is in sdk/js, which the text imports.
#pragma once

#include <string>

#include "config/model/model.h"

namespace integreat::collections {

// `runtime` is the module of sdk/js as the import says it: "@integreat/client". Where records have files, the
// module that uploads them comes with it.
std::string typescript_of(const Model& model, const std::string& runtime);

}  // namespace integreat::collections
