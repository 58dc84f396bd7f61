// SPDX-License-Identifier: Apache-2.0
#include "formats/csv.h"

#include <algorithm>
#include <utility>

#include "base/text/ascii.h"
#include "base/text/utf8.h"

namespace integreat::formats {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

Error invalid(std::string message) {
    return {Fault::invalid, std::move(message), ""};
}

Error too_long(const CsvLimits& limits) {
    return invalid("a cell has more than " + std::to_string(limits.cell_bytes_max) + " bytes");
}

// Consumes a line end, if `rest` begins with one.
bool consume_line_end(CsvParser& parser) {
    auto& rest = parser.rest;
    std::size_t length = rest.starts_with("\r\n") ? 2 : rest.starts_with('\n') ? 1 : 0;
    if (length == 0) return false;
    rest.remove_prefix(length);
    ++parser.line;
    return true;
}

// Parses a quoted cell; `rest` begins behind the opening quote.
Result<> parse_quoted(CsvParser& parser, CsvCell& cell, const CsvLimits& limits) {
    auto first_line = parser.line;
    cell.quoted = true;
    for (;;) {
        auto end = parser.rest.find('"');
        if (end == std::string_view::npos) {
            if (cell.text.size() + parser.rest.size() > limits.cell_bytes_max) return too_long(limits);
            parser.line = first_line;
            parser.incomplete = true;
            return invalid("a quoted cell is not closed");
        }
        if (cell.text.size() + end > limits.cell_bytes_max) return too_long(limits);
        auto part = parser.rest.substr(0, end);
        cell.text += part;
        parser.line += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
        parser.rest.remove_prefix(end + 1);
        if (!parser.rest.starts_with('"')) return {};
        cell.text += '"';
        parser.rest.remove_prefix(1);
    }
}

Result<> parse_plain(CsvParser& parser, CsvCell& cell, const CsvLimits& limits) {
    auto end = std::min(parser.rest.find_first_of(",\"\r\n"), parser.rest.size());
    if (end > limits.cell_bytes_max) return too_long(limits);
    if (end < parser.rest.size() && parser.rest[end] == '"')
        return invalid(
            "an unquoted cell contains a quote: put the cell in quotes and double the quotes within");
    cell.text = parser.rest.substr(0, end);
    parser.rest.remove_prefix(end);
    return {};
}

bool begins_formula(std::string_view text) {
    constexpr std::string_view signs = "=+-@\t\r";
    return !text.empty() && signs.find(text.front()) != std::string_view::npos;
}

std::string_view skip_single_quotes(std::string_view text) {
    auto begin = std::min(text.find_first_not_of('\''), text.size());
    return text.substr(begin);
}

// Returns whether the text is a plain number with a sign: "+639171234567", "-12.5".
bool is_signed_number(std::string_view text) {
    if (text.size() < 2 || (text.front() != '+' && text.front() != '-')) return false;
    auto number = text.substr(1);
    bool plain = std::all_of(number.begin(), number.end(), [&](char c) { return is_digit(c) || c == '.'; });
    return plain && is_digit(number.front()) && is_digit(number.back()) &&
           std::count(number.begin(), number.end(), '.') <= 1;
}

}  // namespace

CsvParser make_csv_parser(std::string_view text) {
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    return {.rest = text};
}

Result<bool> parse_csv_record(CsvParser& parser, CsvRecord& record, const CsvLimits& limits) {
    record.cells.clear();
    record.line = parser.line;
    if (parser.rest.empty()) return false;
    for (;;) {
        if (record.cells.size() == limits.cells_max)
            return invalid("has more than " + std::to_string(limits.cells_max) + " cells");
        auto& cell = record.cells.emplace_back();
        if (parser.rest.starts_with('"')) {
            parser.rest.remove_prefix(1);
            TRY(parse_quoted(parser, cell, limits));
        } else {
            TRY(parse_plain(parser, cell, limits));
        }
        if (parser.rest.empty() || consume_line_end(parser)) return true;
        parser.incomplete = parser.rest == "\r";
        if (parser.rest.front() == '\r')
            return invalid(
                "a CR without LF: lines end with CRLF or LF; a cell with line breaks must be in quotes");
        if (parser.rest.front() != ',') return invalid("text after the closing quote of a cell");
        parser.rest.remove_prefix(1);
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

std::string escape_formula(std::string_view text) {
    bool is_formula = begins_formula(skip_single_quotes(text)) && !is_signed_number(text);
    return (is_formula ? "'" : "") + std::string(text);
}

std::string unescape_formula(std::string_view text) {
    if (text.starts_with('\'') && begins_formula(skip_single_quotes(text))) text.remove_prefix(1);
    return std::string(text);
}

// At least doubles the window, so that a long record is scanned only a few times.
Result<> CsvStream::fill() {
    window_.erase(0, std::exchange(offset_, 0));
    auto size = std::min(2 * window_.size() + 1, limits_.record_bytes_max + 1);
    while (!at_end_ && window_.size() < size) {
        TRY(read_chunk_(chunk_));
        at_end_ = chunk_.empty();
        window_ += chunk_;
    }
    return {};
}

Result<> CsvStream::check_text(std::string_view text, std::size_t line) {
    auto invalid_at = find_invalid_utf8(text);
    if (!invalid_at) return {};
    auto end = text.begin() + static_cast<std::ptrdiff_t>(*invalid_at);
    line_ = line + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
    return Error{Fault::invalid, "is not UTF-8", ""};
}

Result<bool> CsvStream::next(CsvRecord& record) {
    for (;;) {
        std::string_view rest = std::string_view(window_).substr(offset_);
        CsvParser parser{.rest = rest, .line = line_};
        if (!started_) parser = make_csv_parser(rest);
        auto found = parse_csv_record(parser, record, limits_);
        auto used = rest.substr(0, rest.size() - parser.rest.size());
        // A record that reaches the end of the window may continue, unless its line has ended there.
        bool complete = found ? *found && (!parser.rest.empty() || used.ends_with('\n')) : !parser.incomplete;
        if (!complete && !at_end_ && rest.size() <= limits_.record_bytes_max) {
            TRY(fill());
            continue;
        }
        if (!found && (complete || at_end_)) {
            line_ = parser.line;
            return found;
        }
        if (used.size() > limits_.record_bytes_max || (!complete && !at_end_)) {
            return Error{Fault::invalid,
                         "a record has more than " + std::to_string(limits_.record_bytes_max) + " bytes", ""};
        }
        TRY(check_text(used, line_));
        started_ = true;
        offset_ += used.size();
        line_ = parser.line;
        return found;
    }
}

}  // namespace integreat::formats
