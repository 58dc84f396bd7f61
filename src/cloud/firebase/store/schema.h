// SPDX-License-Identifier: Apache-2.0
// The tables of users, codes, tokens and keys, and the words of cloud/sqlite/ that all of this folder uses.
#pragma once

#include "cloud/sqlite/sqlite.h"

namespace integreat::firebase {

using sqlite::Blob;
using sqlite::Statement;
using sqlite::Store;
using sqlite::Transaction;

extern const sqlite::Layout users_layout;

}  // namespace integreat::firebase
