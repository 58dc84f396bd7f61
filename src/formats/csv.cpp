// SPDX-License-Identifier: Apache-2.0
#include "formats/csv.h"

#include <algorithm>

namespace integreat::formats {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

Error wrong(std::string sentence) {
    return {Fault::invalid, std::move(sentence), ""};
}

Error too_long(const CsvLimits& limits) {
    return wrong("a cell has more than " + std::to_string(limits.cell_bytes_max) + " bytes");
}

// Takes the end of a line off, if `rest` begins with one.
bool take_line_end(CsvReading& reading) {
    auto& rest = reading.rest;
    std::size_t length = rest.starts_with("\r\n") ? 2 : rest.starts_with('\n') ? 1 : 0;
    if (length == 0) return false;
    rest.remove_prefix(length);
    ++reading.line;
    return true;
}

// `rest` begins behind the opening quote.
Result<> read_quoted(CsvReading& reading, CsvCell& cell, const CsvLimits& limits) {
    auto opened = reading.line;
    cell.quoted = true;
    for (;;) {
        auto end = reading.rest.find('"');
        if (end == std::string_view::npos) {
            if (cell.text.size() + reading.rest.size() > limits.cell_bytes_max) return too_long(limits);
            reading.line = opened;
            reading.cut = true;
            return wrong("a quote is opened and not closed");
        }
        if (cell.text.size() + end > limits.cell_bytes_max) return too_long(limits);
        auto part = reading.rest.substr(0, end);
        cell.text += part;
        reading.line += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
        reading.rest.remove_prefix(end + 1);
        if (!reading.rest.starts_with('"')) return {};
        cell.text += '"';
        reading.rest.remove_prefix(1);
    }
}

Result<> read_plain(CsvReading& reading, CsvCell& cell, const CsvLimits& limits) {
    auto end = std::min(reading.rest.find_first_of(",\"\r\n"), reading.rest.size());
    if (end > limits.cell_bytes_max) return too_long(limits);
    if (end < reading.rest.size() && reading.rest[end] == '"')
        return wrong(
            "a quote stands in a cell that does not begin with one: put the cell in quotes, and "
            "double those within");
    cell.text = reading.rest.substr(0, end);
    reading.rest.remove_prefix(end);
    return {};
}

bool begins_formula(std::string_view text) {
    constexpr std::string_view signs = "=+-@\t\r";
    return !text.empty() && signs.find(text.front()) != std::string_view::npos;
}

std::string_view behind_quotes(std::string_view text) {
    auto begin = std::min(text.find_first_not_of('\''), text.size());
    return text.substr(begin);
}

// "+639171234567", "-12.5"
bool is_signed_number(std::string_view text) {
    if (text.size() < 2 || (text.front() != '+' && text.front() != '-')) return false;
    auto number = text.substr(1);
    auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    bool plain = std::all_of(number.begin(), number.end(), [&](char c) { return is_digit(c) || c == '.'; });
    return plain && is_digit(number.front()) && is_digit(number.back()) &&
           std::count(number.begin(), number.end(), '.') <= 1;
}

}  // namespace

CsvReading start_csv(std::string_view text) {
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    return {.rest = text};
}

Result<bool> next_record(CsvReading& reading, CsvRecord& record, const CsvLimits& limits) {
    record.cells.clear();
    record.line = reading.line;
    if (reading.rest.empty()) return false;
    for (;;) {
        if (record.cells.size() == limits.cells_max)
            return wrong("has more than " + std::to_string(limits.cells_max) + " cells");
        auto& cell = record.cells.emplace_back();
        if (reading.rest.starts_with('"')) {
            reading.rest.remove_prefix(1);
            TRY(read_quoted(reading, cell, limits));
        } else {
            TRY(read_plain(reading, cell, limits));
        }
        if (reading.rest.empty() || take_line_end(reading)) return true;
        reading.cut = reading.rest == "\r";
        if (reading.rest.front() == '\r')
            return wrong("a CR stands alone: lines end with CRLF or LF, and within cells in quotes only");
        if (reading.rest.front() != ',') return wrong("something stands behind the closing quote of a cell");
        reading.rest.remove_prefix(1);
    }
}

void append_csv_cell(std::string& to, std::string_view text) {
    bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos &&
                 text.front() != ' ' && text.back() != ' ' && !text.starts_with(byte_order_mark);
    if (plain) {
        to += text;
        return;
    }
    to += '"';
    for (char c : text) {
        if (c == '"') to += '"';
        to += c;
    }
    to += '"';
}

std::string guarded(std::string_view text) {
    bool guard = begins_formula(behind_quotes(text)) && !is_signed_number(text);
    return (guard ? "'" : "") + std::string(text);
}

std::string without_guard(std::string_view text) {
    if (text.starts_with('\'') && begins_formula(behind_quotes(text))) text.remove_prefix(1);
    return std::string(text);
}

}  // namespace integreat::formats
