// SPDX-License-Identifier: Apache-2.0
// Validates the collections of a manifest as a whole and compiles them: undefined names, keys without effect,
// rules that grant too much, and fields that no role can fill are errors.
#pragma once

#include <memory>

#include "config/diagnostics/diagnostics.h"
#include "config/manifest/manifest.h"
#include "config/model/model.h"

namespace integreat::config {

// Reports the errors in the collections. The model is usable only if there are none.
std::shared_ptr<const Model> check_collections(Document& document, const Manifest& manifest);

}  // namespace integreat::config
