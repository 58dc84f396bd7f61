// SPDX-License-Identifier: Apache-2.0
// Comma-separated values (RFC 4180), read strictly and written so that they are read as the same: a quote
// belongs around a whole cell or is doubled within one, lines end with CRLF or LF. What spreadsheets tolerate
// beyond that means another thing to each of them, and is a mistake here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace integreat::formats {

struct CsvLimits {
    std::size_t cell_bytes_max = 1024 * 1024;
    std::size_t cells_max = 200;                     // Of one record.
    std::size_t record_bytes_max = 2 * 1024 * 1024;  // Of a CsvStream.
};

struct CsvCell {
    std::string text;
    bool quoted = false;  // `""` is an empty text; nothing between two commas is no value.
};

struct CsvRecord {
    std::size_t line = 1;  // Where it begins; a quoted cell may go over several.
    std::vector<CsvCell> cells;

    // Nothing but the end of its line: one cell without a value, or no record at all.
    bool blank() const { return cells.size() == 1 && cells[0].text.empty() && !cells[0].quoted; }
};

// A text on its way to records.
struct CsvReading {
    std::string_view rest;
    std::size_t line = 1;  // On which `rest` begins; after a mistake, the line of the mistake.
    bool cut = false;      // The mistake may be only that the text ends here.
};

// A byte order mark at the beginning is left out.
CsvReading start_csv(std::string_view text);

// False at the end. Fault::invalid with a sentence: then the rest cannot be read either.
Result<bool> next_record(CsvReading& reading, CsvRecord& record, const CsvLimits& limits = {});

// In quotes where it needs them, so that it is read as this very text, an empty one too. Of no value, append
// nothing.
void append_csv_cell(std::string& to, std::string_view text);

// A text that spreadsheets would take for a formula (it begins with = + - @, a tab or CR) gets a ' in front,
// but for plain signed numbers such as +639171234567; so does one that only differs by such quotes. The other
// takes it away again: without_guard(guarded(text)) == text, whatever the text.
// https://owasp.org/www-community/attacks/CSV_Injection
std::string guarded(std::string_view text);
std::string without_guard(std::string_view text);

}  // namespace integreat::formats
