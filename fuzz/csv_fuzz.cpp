// SPDX-License-Identifier: Apache-2.0
// Parses any bytes as comma-separated values: written records must parse to the same records, and an escaped
// formula must unescape to the same text.
#include "formats/csv.h"

using namespace integreat;
using namespace integreat::formats;

namespace {

constexpr CsvLimits limits{.cell_bytes_max = 4096, .cells_max = 50};

// Returns nullopt if the text is not valid to its end.
std::optional<std::vector<CsvRecord>> parse(std::string_view text) {
    std::vector<CsvRecord> records;
    auto parser = make_csv_parser(text);
    for (;;) {
        CsvRecord record;
        auto line = parser.line;
        auto found = parse_csv_record(parser, record, limits);
        ASSERT(parser.line >= line);
        if (!found) {
            ASSERT(found.error().fault == Fault::invalid && !found.error().message.empty());
            return std::nullopt;
        }
        if (!*found) return records;
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
    ASSERT(unescape_formula(escape_formula(text)) == text);
    auto records = parse(text);
    if (!records) return 0;
    auto again = parse(write(*records));
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
