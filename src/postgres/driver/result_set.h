// SPDX-License-Identifier: Apache-2.0
// The rows of one statement, and the text form of parameters and results.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace integreat::postgres {

// A query parameter or a field of a result in text form; nullopt is SQL NULL.
using Value = std::optional<std::string>;

// Encodes any bytes as a parameter of type bytea.
Value bytea(std::string_view bytes);

// An immutable result, shared between copies.
class ResultSet {
public:
    std::size_t size() const;
    bool empty() const { return size() == 0; }
    bool is_null(std::size_t row, std::size_t column) const;
    std::string_view text(std::size_t row, std::size_t column) const;  // Empty for NULL.
    std::int64_t integer(std::size_t row, std::size_t column) const;
    bool boolean(std::size_t row, std::size_t column) const;
    std::string bytes(std::size_t row, std::size_t column) const;         // Decodes a bytea column.
    std::optional<Time> time(std::size_t row, std::size_t column) const;  // Parses a timestamptz column.
    Value value(std::size_t row, std::size_t column) const;
    std::uint64_t affected() const;  // Number of rows written by INSERT, UPDATE or DELETE.
    std::size_t memory() const;      // Size in bytes, with all overhead.

private:
    friend class Connection;
    std::shared_ptr<void> result_;  // A PGresult.
};

}  // namespace integreat::postgres
