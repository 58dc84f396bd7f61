// SPDX-License-Identifier: Apache-2.0
// Rows of Postgres as JSON: each value is written straight from the text that the server sent, without a tree
// between, so that nothing of it can change on the way.
#pragma once

#include <span>
#include <string>

#include "config/model/model.h"
#include "postgres/driver/pool.h"

namespace integreat::collections {

// A column of a result that is part of the answer.
struct Shown {
    const Field* field = nullptr;
    std::size_t column = 0;
    // A reference that is expanded: these in place of the id; `null` if the first of them, the id, is.
    std::vector<Shown> expanded;
};

// Columns first, first + 1, ... in the order of `fields`.
std::vector<Shown> shown_in_order(std::span<const Field* const> fields, std::size_t first = 0);

// {"id":"…","state":"…"}
void append_record(std::string& to, std::span<const Shown> shown, const postgres::Rows& rows,
                   std::size_t row);

// The value of a field from its text in Postgres.
void append_value(std::string& to, const Field& field, std::string_view text);

// "2026-11-22 08:15:00.5+00" → "2026-11-22T08:15:00.5Z"
void append_timestamp(std::string& to, std::string_view text);

// The elements of an array in the form of Postgres: `{a,"b c",NULL}`.
std::vector<std::string> array_elements(std::string_view literal);

}  // namespace integreat::collections
