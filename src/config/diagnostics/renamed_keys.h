// SPDX-License-Identifier: Apache-2.0
// The keys of settings and manifests that have been renamed. A file with the old key is refused, and the
// message names the new one.
#pragma once

#include <span>

#include "json/binding/reader.h"

namespace integreat::config {

std::span<const json::RenamedKey> renamed_keys();

}  // namespace integreat::config
