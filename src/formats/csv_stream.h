// SPDX-License-Identifier: Apache-2.0
// Comma-separated values of any length, record by record: no more is held than the longest record that the
// limits allow. The pieces may be cut anywhere.
#pragma once

#include <functional>
#include <string>

#include "formats/csv.h"

namespace integreat::formats {

class CsvStream {
public:
    // Replaces the text by what comes next of the table; empty at its end.
    using More = std::function<Result<>(std::string&)>;

    explicit CsvStream(More more, CsvLimits limits = {}) : more_(std::move(more)), limits_(limits) {}

    // As next_record, which sees whole records only. Fault::invalid with a sentence, and then line() is
    // where; another fault if there is no more to be had.
    Result<bool> next(CsvRecord& record);

    std::size_t line() const { return line_; }

private:
    Result<> fill();
    Result<> check_text(std::string_view text, std::size_t line);

    More more_;
    CsvLimits limits_;
    std::string window_;  // What is not read yet begins at `at_`.
    std::string piece_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    bool begun_ = false;
    bool over_ = false;  // There is nothing behind the window.
};

}  // namespace integreat::formats
