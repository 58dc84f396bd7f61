// SPDX-License-Identifier: Apache-2.0
// The tables of the index. The row of an object references its content: small contents are rows of `blobs`,
// large ones are files with the same number, and contents uploaded in parts are listed in `pieces`.
#pragma once

#include "cloud/sqlite/sqlite.h"

namespace integreat::s3 {

extern const sqlite::Schema objects_schema;

}  // namespace integreat::s3
