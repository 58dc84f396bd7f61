// SPDX-License-Identifier: Apache-2.0
// The directory as records and back.
#pragma once

#include "cloud/document_store/document_store.h"
#include "cloud/iam/types.h"

namespace integreat::iam {

Result<Directory> load_directory(cloud::Records& records);

// What leads from one to the other. Things that both share are not looked at.
std::vector<cloud::Change> difference(const Directory& from, const Directory& to);

}  // namespace integreat::iam
