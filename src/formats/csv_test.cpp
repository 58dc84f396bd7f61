// SPDX-License-Identifier: Apache-2.0
#include "formats/csv.h"

#include <gmock/gmock.h>

namespace integreat::formats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Lines = std::vector<std::vector<std::string>>;

struct Read {
    Lines lines;
    std::string mistake;
    std::size_t line = 0;  // Of the mistake.
};

Read read(std::string_view text, const CsvLimits& limits = {}) {
    Read all;
    auto reading = start_csv(text);
    CsvRecord record;
    for (;;) {
        auto more = next_record(reading, record, limits);
        if (!more) {
            all.mistake = more.error().message;
            all.line = reading.line;
            return all;
        }
        if (!*more) return all;
        auto& cells = all.lines.emplace_back();
        for (const auto& cell : record.cells)
            cells.push_back(cell.text);
    }
}

TEST(Csv, ReadsWhatTheRfcDescribes) {
    auto all = read("a,b\r\n\"x, y\",\"say \"\"hi\"\"\"\r\n,\n\"two\r\nlines\",z");
    EXPECT_EQ(all.mistake, "");
    EXPECT_EQ(all.lines, (Lines{{"a", "b"}, {"x, y", "say \"hi\""}, {"", ""}, {"two\r\nlines", "z"}}));
    EXPECT_EQ(read("").lines.size(), 0u);
    EXPECT_EQ(read("\xEF\xBB\xBF").lines.size(), 0u);
    EXPECT_EQ(read("\xEF\xBB\xBF\"a\"\n").lines, (Lines{{"a"}}));
    EXPECT_EQ(read("a,").lines, (Lines{{"a", ""}}));
}

TEST(Csv, TellsAnEmptyTextFromNoValue) {
    auto reading = start_csv("\"\",,x\r\n\r\n\"\"\r\n");
    CsvRecord record;
    ASSERT_TRUE(*next_record(reading, record));
    EXPECT_TRUE(record.cells[0].quoted);
    EXPECT_FALSE(record.cells[1].quoted);
    EXPECT_FALSE(record.blank());
    ASSERT_TRUE(*next_record(reading, record));
    EXPECT_TRUE(record.blank());
    ASSERT_TRUE(*next_record(reading, record));
    EXPECT_FALSE(record.blank());
    EXPECT_FALSE(*next_record(reading, record));
}

TEST(Csv, CountsLinesAlsoWithinCells) {
    auto reading = start_csv("h\r\n\"a\nb\r\nc\"\r\nlast\r\n");
    CsvRecord record;
    std::vector<std::size_t> lines;
    while (*next_record(reading, record))
        lines.push_back(record.line);
    EXPECT_THAT(lines, ElementsAre(1u, 2u, 5u));
}

TEST(Csv, RefusesWhatReadersUnderstandDifferently) {
    struct Wrong {
        std::string text;
        std::size_t line;
        const char* words;
    };
    for (const auto& [text, line, words] : std::vector<Wrong>{{"a\nb\"c\"\n", 2, "does not begin with one"},
                                                              {"a\n\"b\"c\n", 2, "behind the closing quote"},
                                                              {"a\n\"b\" ,c", 2, "behind the closing quote"},
                                                              {"a\n\n\"b\nc\nd", 3, "not closed"},
                                                              {"\"", 1, "not closed"},
                                                              {"\"\"\"", 1, "not closed"},
                                                              {"a\rb", 1, "CR stands alone"},
                                                              {"\"a\"\r", 1, "CR stands alone"},
                                                              {" \"a\"", 1, "does not begin with one"}}) {
        auto all = read(text);
        EXPECT_THAT(all.mistake, HasSubstr(words)) << text;
        EXPECT_EQ(all.line, line) << text;
    }
}

TEST(Csv, HasLimits) {
    CsvLimits limits{.cell_bytes_max = 3, .cells_max = 2};
    EXPECT_EQ(read("abc,\"d\"\"e\"", limits).lines, (Lines{{"abc", "d\"e"}}));
    EXPECT_THAT(read("abcd", limits).mistake, HasSubstr("more than 3 bytes"));
    EXPECT_THAT(read("\"abcd\"", limits).mistake, HasSubstr("more than 3 bytes"));
    EXPECT_THAT(read("\"\"\"\"\"\"\"\"\"\"", limits).mistake, HasSubstr("more than 3 bytes"));
    EXPECT_THAT(read("a,b,c", limits).mistake, HasSubstr("more than 2 cells"));
    EXPECT_THAT(read("a,b,", limits).mistake, HasSubstr("more than 2 cells"));
}

TEST(Csv, ReadsWhatItWrote) {
    for (std::string text : {"", "a", " a", "a ", "a,b", "\"", "\"\"", "\r", "\n", "\r\n", "'",
                             "\xEF\xBB\xBF", "a\"b,\nc", "caf\xC3\xA9", "\t"}) {
        std::string line;
        append_csv_cell(line, text);
        line += ",x\r\n";
        EXPECT_EQ(read(line).lines, (Lines{{text, "x"}})) << line;
    }
    EXPECT_EQ(read(std::string("\0,\0", 3)).lines, (Lines{{std::string("\0", 1), std::string("\0", 1)}}));
}

TEST(Csv, KeepsSpreadsheetsFromTakingTextsForFormulas) {
    EXPECT_EQ(guarded("=1+1"), "'=1+1");
    EXPECT_EQ(guarded("+cmd|' /C calc'!A0"), "'+cmd|' /C calc'!A0");
    EXPECT_EQ(guarded("-2+3"), "'-2+3");
    EXPECT_EQ(guarded("@SUM(A1)"), "'@SUM(A1)");
    EXPECT_EQ(guarded("\tx"), "'\tx");
    EXPECT_EQ(guarded("\rx"), "'\rx");
    EXPECT_EQ(guarded("-"), "'-");
    EXPECT_EQ(guarded("-1.2.3"), "'-1.2.3");
    EXPECT_EQ(guarded("-."), "'-.");
    EXPECT_EQ(guarded("+639171234567"), "+639171234567");
    EXPECT_EQ(guarded("-12.50"), "-12.50");
    EXPECT_EQ(guarded("'twas"), "'twas");
    EXPECT_EQ(guarded("'=1"), "''=1");
    EXPECT_EQ(without_guard("'=1+1"), "=1+1");
    EXPECT_EQ(without_guard("'twas"), "'twas");
    for (const char* text :
         {"", "'", "''", "=", "'=", "''=", "'-5", "-5", "''-5", "'+", "a=", "'a", "\t", "'\r"})
        EXPECT_EQ(without_guard(guarded(text)), text);
}

}  // namespace
}  // namespace integreat::formats
