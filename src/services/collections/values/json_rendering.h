// SPDX-License-Identifier: Apache-2.0
// Renders Postgres rows as JSON. Each value is written directly from the text that the server sent, without
// an intermediate tree, so that no digit can change.
#pragma once

#include <span>
#include <string>

#include "postgres/driver/pool.h"
#include "services/collections/model.h"

namespace integreat::collections {

// A result column that is part of the response.
struct OutputColumn {
    const Field* field = nullptr;
    std::size_t column = 0;
    // Columns of the expanded record, which replace the ID of a reference. The value is `null` if the first
    // of them, the ID, is NULL.
    std::vector<OutputColumn> expanded;
};

// Returns output columns first, first + 1, … in the order of `fields`.
std::vector<OutputColumn> output_columns(std::span<const Field* const> fields, std::size_t first = 0);

// Appends {"id":"…","state":"…"}.
void append_record(std::string& out, std::span<const OutputColumn> columns, const postgres::ResultSet& rows,
                   std::size_t row);

// Appends the value of a field given as Postgres text.
void append_value(std::string& out, const Field& field, std::string_view text);

// Appends "2026-11-22 08:15:00.5+00" as "2026-11-22T08:15:00.5Z".
void append_timestamp(std::string& out, std::string_view text);

// Parses a Postgres array literal: `{a,"b c",NULL}`.
std::vector<std::string> parse_array_literal(std::string_view literal);

}  // namespace integreat::collections
