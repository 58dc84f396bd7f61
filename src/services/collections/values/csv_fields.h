// SPDX-License-Identifier: Apache-2.0
// The value of a field as the cell of a table, for people and their spreadsheets: money in major units, what
// is a list or an object as JSON, everything else as on the wire. What is written here is read here as the
// same value; no amount passes through a double.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/result.h"
#include "config/model/model.h"
#include "formats/csv.h"

namespace integreat::collections {

// From the value's text in Postgres.
void append_cell(std::string& to, const Field& field, std::string_view text);

// As JSON that check_new takes; null if the cell says nothing. Fault::invalid with a sentence.
Result<boost::json::value> cell_value(const Field& field, const formats::CsvCell& cell);

// "150000" → "1500.00": as many decimals as the currency has (ISO 4217).
std::string major_units(std::string_view minor, std::string_view currency);
Result<std::int64_t> minor_units(std::string_view major, std::string_view currency);

}  // namespace integreat::collections
