// SPDX-License-Identifier: Apache-2.0
// Field values as CSV fields for spreadsheets: money in major units, lists and objects as JSON, everything
// else as on the wire. Writing and reading a value gives the same value again; no amount passes through a
// double.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/result.h"
#include "formats/csv.h"
#include "services/collections/model.h"

namespace integreat::collections {

// Appends a value given as Postgres text.
void append_csv_field(std::string& out, const Field& field, std::string_view text);

// Parses a CSV field into the JSON value that a request body would have; null for an empty field. Fails with
// Fault::invalid and a sentence such as "must be a whole number".
Result<boost::json::value> parse_csv_field(const Field& field, const formats::CsvCell& cell);

// Converts "150000" ⇄ "1500.00", with the number of decimals that ISO 4217 gives the currency.
std::string format_major_units(std::string_view minor, std::string_view currency);
Result<std::int64_t> parse_minor_units(std::string_view major, std::string_view currency);

}  // namespace integreat::collections
