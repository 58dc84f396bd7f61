// SPDX-License-Identifier: Apache-2.0
// Any bytes as comma-separated values: what is read must be read again as the same once it is written, and a
// text that is kept from being a formula must come back as it was.
#include "formats/csv.h"

using namespace integreat;
using namespace integreat::collections;

namespace {

constexpr CsvLimits limits{.cell_bytes_max = 4096, .cells_max = 50};

// Nothing if they cannot be read to their end.
std::optional<std::vector<CsvRecord>> read(std::string_view text) {
    std::vector<CsvRecord> records;
    auto reading = start_csv(text);
    for (;;) {
        CsvRecord record;
        auto line = reading.line;
        auto more = next_record(reading, record, limits);
        ASSERT(reading.line >= line);
        if (!more) {
            ASSERT(more.error().fault == Fault::invalid && !more.error().message.empty());
            return std::nullopt;
        }
        if (!*more) return records;
        records.push_back(std::move(record));
    }
}

std::string write(const std::vector<CsvRecord>& records) {
    std::string text;
    for (const auto& record : records) {
        for (std::size_t i = 0; i < record.cells.size(); ++i) {
            if (i > 0) text += ',';
            const auto& cell = record.cells[i];
            if (!cell.text.empty() || cell.quoted) append_csv_cell(text, cell.text);
        }
        text += "\r\n";
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(bytes), size);
    ASSERT(without_guard(guarded(text)) == text);
    auto records = read(text);
    if (!records) return 0;
    auto again = read(write(*records));
    ASSERT(again && again->size() == records->size());
    for (std::size_t i = 0; i < records->size(); ++i) {
        const auto& cells = (*records)[i].cells;
        ASSERT((*again)[i].cells.size() == cells.size());
        for (std::size_t j = 0; j < cells.size(); ++j) {
            const auto& cell = (*again)[i].cells[j];
            ASSERT(cell.text == cells[j].text);
            ASSERT(!cell.text.empty() || cell.quoted == cells[j].quoted);
        }
    }
    return 0;
}
