// SPDX-License-Identifier: Apache-2.0
// Files of records. A field of type `file` names an object in the app's bucket. In a write, a key
// in users/ or in a prefix that the manifest opens is accepted only from a writer who may read and write it
// in S3; the stored value then holds the version of that time. Whoever may read the field may
// open that version. Other names are kept as they are and cannot be opened here.
#pragma once

#include <map>
#include <optional>

#include <boost/json/value.hpp>

#include "services/collections/api/operation.h"
#include "services/collections/api/record_body.h"

namespace integreat::collections {

inline constexpr std::size_t files_per_request_max = 20;

// The stored values of the record that is being changed, by field.
using StoredFiles = std::map<const Field*, boost::json::value>;

// Returns whether verify_files blocks for these values.
bool needs_file_store(const CollectionRequest& request, const ColumnValues& columns);

// Checks the files that `columns` names and adds their versions. Adds errors for those the caller may not
// attach; returns a response if the store does not answer. `pointer` is the place of the record in the body.
std::optional<http::FullResponse> verify_files(CollectionRequest& request, ColumnValues& columns,
                                               const std::string& pointer, const StoredFiles& stored,
                                               ValidationErrors& errors);

// Returns a link to the file of a field, or redirects to it.
http::FullResponse open_file(CollectionRequest& request, const Field& field);

}  // namespace integreat::collections
