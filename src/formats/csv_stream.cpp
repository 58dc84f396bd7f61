// SPDX-License-Identifier: Apache-2.0
#include "formats/csv_stream.h"

#include <algorithm>

#include "base/text/utf8.h"

namespace integreat::formats {

// At least doubles what is there, so that a long record is looked at a few times only.
Result<> CsvStream::fill() {
    window_.erase(0, std::exchange(at_, 0));
    auto wanted = std::min(2 * window_.size() + 1, limits_.record_bytes_max + 1);
    while (!over_ && window_.size() < wanted) {
        TRY(more_(piece_));
        over_ = piece_.empty();
        window_ += piece_;
    }
    return {};
}

Result<> CsvStream::check_text(std::string_view text, std::size_t line) {
    auto wrong = invalid_utf8_at(text);
    if (!wrong) return {};
    auto end = text.begin() + static_cast<std::ptrdiff_t>(*wrong);
    line_ = line + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
    return Error{Fault::invalid, "is not UTF-8", ""};
}

Result<bool> CsvStream::next(CsvRecord& record) {
    for (;;) {
        std::string_view rest = std::string_view(window_).substr(at_);
        CsvReading reading{.rest = rest, .line = line_};
        if (!begun_) reading = start_csv(rest);
        auto some = next_record(reading, record, limits_);
        auto used = rest.substr(0, rest.size() - reading.rest.size());
        // What goes on to the end of the window may go on behind it, unless its line has ended there.
        bool ended = some ? *some && (!reading.rest.empty() || used.ends_with('\n')) : !reading.cut;
        if (!ended && !over_ && rest.size() <= limits_.record_bytes_max) {
            TRY(fill());
            continue;
        }
        if (!some && (ended || over_)) {
            line_ = reading.line;
            return some;
        }
        if (used.size() > limits_.record_bytes_max || (!ended && !over_)) {
            return Error{Fault::invalid,
                         "a record has more than " + std::to_string(limits_.record_bytes_max) + " bytes", ""};
        }
        TRY(check_text(used, line_));
        begun_ = true;
        at_ += used.size();
        line_ = reading.line;
        return some;
    }
}

}  // namespace integreat::formats
