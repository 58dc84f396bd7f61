// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/result_set.h"

#include <charconv>

#include <libpq-fe.h>

#include "base/assert.h"
#include "base/text/ascii.h"

namespace integreat::postgres {

namespace {

const PGresult* to_pg_result(const std::shared_ptr<void>& result) {
    return static_cast<const PGresult*>(result.get());
}

int hex_value(char digit) {
    auto value = hex_digits.find(digit);
    ASSERT(value != std::string_view::npos);
    return static_cast<int>(value);
}

}  // namespace

Value bytea(std::string_view bytes) {
    std::string text = "\\x";
    text.reserve(2 + 2 * bytes.size());
    for (unsigned char byte : bytes) {
        text += hex_digits[byte >> 4];
        text += hex_digits[byte & 15];
    }
    return text;
}

std::size_t ResultSet::size() const {
    return result_ ? static_cast<std::size_t>(PQntuples(to_pg_result(result_))) : 0;
}

bool ResultSet::is_null(std::size_t row, std::size_t column) const {
    ASSERT(row < size() && column < static_cast<std::size_t>(PQnfields(to_pg_result(result_))));
    return PQgetisnull(to_pg_result(result_), static_cast<int>(row), static_cast<int>(column)) == 1;
}

// PQgetvalue returns null for a field that is out of range. That one check suffices, and a page has hundreds
// of fields.
std::string_view ResultSet::text(std::size_t row, std::size_t column) const {
    int r = static_cast<int>(row);
    int c = static_cast<int>(column);
    const char* bytes = PQgetvalue(to_pg_result(result_), r, c);
    ASSERT(bytes);
    return {bytes, static_cast<std::size_t>(PQgetlength(to_pg_result(result_), r, c))};
}

std::int64_t ResultSet::integer(std::size_t row, std::size_t column) const {
    auto digits = text(row, column);
    std::int64_t number = 0;
    auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    ASSERT(failure == std::errc() && end == digits.data() + digits.size());
    return number;
}

bool ResultSet::boolean(std::size_t row, std::size_t column) const {
    return text(row, column) == "t";
}

std::string ResultSet::bytes(std::size_t row, std::size_t column) const {
    auto digits = text(row, column);
    if (digits.empty()) return {};
    ASSERT(digits.starts_with("\\x") && digits.size() % 2 == 0);
    std::string bytes;
    bytes.reserve(digits.size() / 2 - 1);
    for (std::size_t i = 2; i < digits.size(); i += 2) {
        bytes += static_cast<char>(hex_value(digits[i]) * 16 + hex_value(digits[i + 1]));
    }
    return bytes;
}

std::optional<Time> ResultSet::time(std::size_t row, std::size_t column) const {
    if (is_null(row, column)) return std::nullopt;
    std::string text(this->text(row, column));
    // "2026-11-22 08:15:00.5+00": Postgres omits the minutes of an offset of whole hours.
    if (text.size() > 3 && text[text.size() - 3] != ':') text += ":00";
    auto time = parse_rfc3339(text);
    ASSERT(time);
    return *time;
}

Value ResultSet::value(std::size_t row, std::size_t column) const {
    if (is_null(row, column)) return std::nullopt;
    return std::string(text(row, column));
}

std::uint64_t ResultSet::affected() const {
    if (!result_) return 0;
    std::string_view digits = PQcmdTuples(const_cast<PGresult*>(to_pg_result(result_)));
    std::uint64_t count = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), count);
    return count;
}

std::size_t ResultSet::memory() const {
    return result_ ? PQresultMemorySize(to_pg_result(result_)) : 0;
}

}  // namespace integreat::postgres
