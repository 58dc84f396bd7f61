// SPDX-License-Identifier: Apache-2.0
// Finds routes through which a caller gets past the access of another route: both lead to the same target of
// one server, and the gateway, which alone checks roles, lets different callers through (OWASP API5:2023,
// broken function level authorization).
#pragma once

#include "config/diagnostics/diagnostics.h"
#include "config/manifest/manifest.h"

namespace integreat::config {

// Reports every route whose targets overlap with those of an earlier route of different access.
void check_targets(Document& document, const Manifest& manifest);

}  // namespace integreat::config
