// SPDX-License-Identifier: Apache-2.0
// The schema of users, codes, tokens and keys, and the types of cloud/sqlite/ used in this component.
#pragma once

#include "cloud/sqlite/sqlite.h"

namespace integreat::firebase {

using sqlite::Blob;
using sqlite::Statement;
using sqlite::Store;
using sqlite::Transaction;

extern const sqlite::Schema users_schema;

}  // namespace integreat::firebase
