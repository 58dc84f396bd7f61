// SPDX-License-Identifier: Apache-2.0
// Comma-separated values (RFC 4180), strict: quotes enclose a whole cell or are doubled within one, lines end
// with CRLF or LF. Anything beyond that is interpreted differently by every spreadsheet and is an error here.
// Written cells parse to the same text.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace integreat::formats {

struct CsvLimits {
    std::size_t cell_bytes_max = 1024 * 1024;
    std::size_t cells_max = 200;                     // Per record.
    std::size_t record_bytes_max = 2 * 1024 * 1024;  // CsvStream only.
};

struct CsvCell {
    std::string text;
    bool quoted = false;  // `""` is an empty text; nothing between two commas is no value.
};

struct CsvRecord {
    std::size_t line = 1;  // First line of the record; a quoted cell may span several.
    std::vector<CsvCell> cells;

    // Returns whether the record is an empty line: one cell without a value.
    bool blank() const { return cells.size() == 1 && cells[0].text.empty() && !cells[0].quoted; }
};

// The state of parsing a text record by record.
struct CsvParser {
    std::string_view rest;
    std::size_t line = 1;     // Line at which `rest` begins; after an error, the line of the error.
    bool incomplete = false;  // The error may be due only to the end of the text.
};

// Starts parsing; skips a byte order mark.
CsvParser make_csv_parser(std::string_view text);

// Parses the next record. Returns false at the end. After Fault::invalid the rest cannot be parsed either.
Result<bool> parse_csv_record(CsvParser& parser, CsvRecord& record, const CsvLimits& limits = {});

// Appends a cell, in quotes where necessary, so that it parses to the same text, an empty one included. For
// no value, append nothing.
void append_csv_cell(std::string& to, std::string_view text);

// Prefixes ' to a text that spreadsheets would evaluate as a formula (it begins with = + - @, a tab or CR),
// except plain signed numbers such as +639171234567; also to one that differs only by such prefixes.
// unescape_formula(escape_formula(text)) == text for every text.
// https://owasp.org/www-community/attacks/CSV_Injection
std::string escape_formula(std::string_view text);
std::string unescape_formula(std::string_view text);

// Parses comma-separated values of any length from chunks that may be split anywhere. Holds at most one
// record of the maximum size.
class CsvStream {
public:
    // Replaces its argument by the next chunk; empty at the end.
    using ReadChunk = std::function<Result<>(std::string&)>;

    explicit CsvStream(ReadChunk read_chunk, CsvLimits limits = {})
        : read_chunk_(std::move(read_chunk)), limits_(limits) {}

    // Parses the next record, as parse_csv_record. After Fault::invalid, line() is the line of the error;
    // other faults come from the chunk reader.
    Result<bool> next(CsvRecord& record);

    std::size_t line() const { return line_; }

private:
    Result<> fill();
    Result<> check_text(std::string_view text, std::size_t line);

    ReadChunk read_chunk_;
    CsvLimits limits_;
    std::string window_;  // Unparsed text begins at `offset_`.
    std::string chunk_;
    std::size_t offset_ = 0;
    std::size_t line_ = 1;
    bool started_ = false;
    bool at_end_ = false;  // There are no further chunks.
};

}  // namespace integreat::formats
