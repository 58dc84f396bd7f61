// SPDX-License-Identifier: Apache-2.0
// Loading and saving of the directory as stored documents.
#pragma once

#include "cloud/document_store/document_store.h"
#include "cloud/iam/types.h"

namespace integreat::iam {

Result<Directory> load_directory(cloud::DocumentStore& documents);

// Returns the changes that turn `from` into `to`. Entities shared by both are skipped.
std::vector<cloud::DocumentChange> diff_directories(const Directory& from, const Directory& to);

// Returns the member if it is a string, otherwise an empty text.
std::string get_text(const boost::json::object& object, std::string_view name);

}  // namespace integreat::iam
