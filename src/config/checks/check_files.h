// SPDX-License-Identifier: Apache-2.0
// Checks the key "files" of a manifest: prefixes, roles, and that S3 can check every rule. S3 knows the
// session tags of the caller and the key of the object, but no record: a rule about records belongs to a
// field of type `file`, whose collection has rules for them.
//
// The policy made from all entries must fit into the quota of IAM for the inline policies of a role.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics/diagnostics.h"
#include "config/manifest/manifest.h"

namespace integreat::config {

// `roles` are those declared by the app; nullopt if they cannot be read.
void check_files(Document& document, const Manifest& manifest,
                 const std::optional<std::vector<std::string>>& roles);

}  // namespace integreat::config
