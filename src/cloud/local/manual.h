// SPDX-License-Identifier: Apache-2.0
// The manual of the local cloud.
#pragma once

#include <string>

namespace integreat::cloud {

// Renders docs/reference/local-cloud.md: the supported features and enforced checks of each operation.
std::string render_manual();

}  // namespace integreat::cloud
