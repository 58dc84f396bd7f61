// SPDX-License-Identifier: Apache-2.0
#include "formats/csv.h"

#include <random>

#include <gmock/gmock.h>

namespace integreat::formats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Lines = std::vector<std::vector<std::string>>;

struct ParseResult {
    Lines lines;
    std::string error;
    std::size_t line = 0;  // Line of the error.
};

ParseResult parse(std::string_view text, const CsvLimits& limits = {}) {
    ParseResult all;
    auto parser = make_csv_parser(text);
    CsvRecord record;
    for (;;) {
        auto more = parse_csv_record(parser, record, limits);
        if (!more) {
            all.error = more.error().message;
            all.line = parser.line;
            return all;
        }
        if (!*more) return all;
        auto& cells = all.lines.emplace_back();
        for (const auto& cell : record.cells)
            cells.push_back(cell.text);
    }
}

TEST(Csv, ParsesRfc4180) {
    auto all = parse("a,b\r\n\"x, y\",\"say \"\"hi\"\"\"\r\n,\n\"two\r\nlines\",z");
    EXPECT_EQ(all.error, "");
    EXPECT_EQ(all.lines, (Lines{{"a", "b"}, {"x, y", "say \"hi\""}, {"", ""}, {"two\r\nlines", "z"}}));
    EXPECT_EQ(parse("").lines.size(), 0u);
    EXPECT_EQ(parse("\xEF\xBB\xBF").lines.size(), 0u);
    EXPECT_EQ(parse("\xEF\xBB\xBF\"a\"\n").lines, (Lines{{"a"}}));
    EXPECT_EQ(parse("a,").lines, (Lines{{"a", ""}}));
}

TEST(Csv, DistinguishesAnEmptyTextFromNoValue) {
    auto parser = make_csv_parser("\"\",,x\r\n\r\n\"\"\r\n");
    CsvRecord record;
    ASSERT_TRUE(*parse_csv_record(parser, record));
    EXPECT_TRUE(record.cells[0].quoted);
    EXPECT_FALSE(record.cells[1].quoted);
    EXPECT_FALSE(record.blank());
    ASSERT_TRUE(*parse_csv_record(parser, record));
    EXPECT_TRUE(record.blank());
    ASSERT_TRUE(*parse_csv_record(parser, record));
    EXPECT_FALSE(record.blank());
    EXPECT_FALSE(*parse_csv_record(parser, record));
}

TEST(Csv, CountsLinesWithinCells) {
    auto parser = make_csv_parser("h\r\n\"a\nb\r\nc\"\r\nlast\r\n");
    CsvRecord record;
    std::vector<std::size_t> lines;
    while (*parse_csv_record(parser, record))
        lines.push_back(record.line);
    EXPECT_THAT(lines, ElementsAre(1u, 2u, 5u));
}

TEST(Csv, RejectsAmbiguousTexts) {
    struct Case {
        std::string text;
        std::size_t line;
        const char* message;
    };
    for (const auto& [text, line, message] :
         std::vector<Case>{{"a\nb\"c\"\n", 2, "unquoted cell contains a quote"},
                           {"a\n\"b\"c\n", 2, "text after the closing quote"},
                           {"a\n\"b\" ,c", 2, "text after the closing quote"},
                           {"a\n\n\"b\nc\nd", 3, "not closed"},
                           {"\"", 1, "not closed"},
                           {"\"\"\"", 1, "not closed"},
                           {"a\rb", 1, "CR without LF"},
                           {"\"a\"\r", 1, "CR without LF"},
                           {" \"a\"", 1, "unquoted cell contains a quote"}}) {
        auto all = parse(text);
        EXPECT_THAT(all.error, HasSubstr(message)) << text;
        EXPECT_EQ(all.line, line) << text;
    }
}

TEST(Csv, EnforcesItsLimits) {
    CsvLimits limits{.cell_bytes_max = 3, .cells_max = 2};
    EXPECT_EQ(parse("abc,\"d\"\"e\"", limits).lines, (Lines{{"abc", "d\"e"}}));
    EXPECT_THAT(parse("abcd", limits).error, HasSubstr("more than 3 bytes"));
    EXPECT_THAT(parse("\"abcd\"", limits).error, HasSubstr("more than 3 bytes"));
    EXPECT_THAT(parse("\"\"\"\"\"\"\"\"\"\"", limits).error, HasSubstr("more than 3 bytes"));
    EXPECT_THAT(parse("a,b,c", limits).error, HasSubstr("more than 2 cells"));
    EXPECT_THAT(parse("a,b,", limits).error, HasSubstr("more than 2 cells"));
}

TEST(Csv, ParsesWhatItWrites) {
    for (std::string text : {"", "a", " a", "a ", "a,b", "\"", "\"\"", "\r", "\n", "\r\n", "'",
                             "\xEF\xBB\xBF", "a\"b,\nc", "caf\xC3\xA9", "\t"}) {
        std::string line;
        append_csv_cell(line, text);
        line += ",x\r\n";
        EXPECT_EQ(parse(line).lines, (Lines{{text, "x"}})) << line;
    }
    EXPECT_EQ(parse(std::string("\0,\0", 3)).lines, (Lines{{std::string("\0", 1), std::string("\0", 1)}}));
}

TEST(Csv, EscapesFormulas) {
    EXPECT_EQ(escape_formula("=1+1"), "'=1+1");
    EXPECT_EQ(escape_formula("+cmd|' /C calc'!A0"), "'+cmd|' /C calc'!A0");
    EXPECT_EQ(escape_formula("-2+3"), "'-2+3");
    EXPECT_EQ(escape_formula("@SUM(A1)"), "'@SUM(A1)");
    EXPECT_EQ(escape_formula("\tx"), "'\tx");
    EXPECT_EQ(escape_formula("\rx"), "'\rx");
    EXPECT_EQ(escape_formula("-"), "'-");
    EXPECT_EQ(escape_formula("-1.2.3"), "'-1.2.3");
    EXPECT_EQ(escape_formula("-."), "'-.");
    EXPECT_EQ(escape_formula("+639171234567"), "+639171234567");
    EXPECT_EQ(escape_formula("-12.50"), "-12.50");
    EXPECT_EQ(escape_formula("'twas"), "'twas");
    EXPECT_EQ(escape_formula("'=1"), "''=1");
    EXPECT_EQ(unescape_formula("'=1+1"), "=1+1");
    EXPECT_EQ(unescape_formula("'twas"), "'twas");
    for (const char* text :
         {"", "'", "''", "=", "'=", "''=", "'-5", "-5", "''-5", "'+", "a=", "'a", "\t", "'\r"})
        EXPECT_EQ(unescape_formula(escape_formula(text)), text);
}

// Returns the text in chunks of 1 to `max_bytes` bytes.
CsvStream::ReadChunk make_chunks(std::string_view text, std::size_t max_bytes, std::uint32_t seed = 1) {
    return [text, max_bytes, random = std::minstd_rand(seed)](std::string& chunk) mutable -> Result<> {
        chunk = text.substr(0, 1 + random() % max_bytes);
        text.remove_prefix(chunk.size());
        return {};
    };
}

struct StreamResult {
    std::vector<std::string> records;  // Formatted, with line numbers.
    std::string error;

    bool operator==(const StreamResult&) const = default;
};

std::string format(const CsvRecord& record) {
    std::string text = std::to_string(record.line) + ":";
    for (const auto& cell : record.cells)
        text += (cell.quoted ? "[" : "(") + cell.text + (cell.quoted ? "]" : ")");
    return text;
}

StreamResult read_stream(CsvStream stream) {
    StreamResult all;
    CsvRecord record;
    for (;;) {
        auto found = stream.next(record);
        if (!found) all.error = std::to_string(stream.line()) + ": " + found.error().message;
        if (!found || !*found) return all;
        all.records.push_back(format(record));
    }
}

StreamResult read_whole(std::string_view text) {
    StreamResult all;
    auto parser = make_csv_parser(text);
    CsvRecord record;
    for (;;) {
        auto found = parse_csv_record(parser, record);
        if (!found) all.error = std::to_string(parser.line) + ": " + found.error().message;
        if (!found || !*found) return all;
        all.records.push_back(format(record));
    }
}

TEST(CsvStream, DoesNotDependOnChunkBoundaries) {
    std::minstd_rand random(7);
    constexpr std::string_view parts[] = {"a", ",",     "\"",     "\"\"", "\r\n", "\n",           "\r",
                                          "ñ", "\"x\"", "\"\n\"", "12.5", ",,",   "\xEF\xBB\xBF", "word "};
    for (std::uint32_t round = 0; round < 3'000; ++round) {
        std::string text;
        for (auto count = random() % 30; count > 0; --count)
            text += parts[random() % std::size(parts)];
        ASSERT_EQ(read_stream(CsvStream(make_chunks(text, 1 + random() % 9, round))), read_whole(text))
            << ::testing::PrintToString(text);
    }
}

TEST(CsvStream, ReadsTablesLargerThanItsWindow) {
    std::string text;
    for (int i = 0; i < 20'000; ++i)
        text += std::to_string(i) + ",\"two\r\nlines\"\r\n";
    auto all = read_stream(CsvStream(make_chunks(text, 64 * 1024)));
    EXPECT_EQ(all.records.size(), 20'000u);
    EXPECT_EQ(all.records.back(), "39999:(19999)[two\r\nlines]");
    EXPECT_EQ(all.error, "");
}

TEST(CsvStream, LimitsARecordAndACell) {
    CsvLimits limits{.cell_bytes_max = 100, .record_bytes_max = 250};
    auto long_cell = "a,b\nc,\"" + std::string(101, 'x');
    EXPECT_EQ(read_stream(CsvStream(make_chunks(long_cell, 50), limits)).error,
              "2: a cell has more than 100 bytes");
    std::string cell(90, 'x');
    auto long_record = "a\n" + cell + "," + cell + "," + cell + "\n";
    EXPECT_EQ(read_stream(CsvStream(make_chunks(long_record, 50), limits)).error,
              "2: a record has more than 250 bytes");
    EXPECT_EQ(read_stream(CsvStream(make_chunks(long_record, 5'000), limits)).error,
              "2: a record has more than 250 bytes");
    EXPECT_EQ(read_stream(CsvStream(make_chunks("a\n" + cell + "," + cell + "\n", 7), limits)).error, "");
    auto open = "a\n" + cell + "," + cell + ",\"" + std::string(95, 'x');
    EXPECT_THAT(read_stream(CsvStream(make_chunks(open + cell + cell, 50), limits)).error, HasSubstr("2: a"));
}

TEST(CsvStream, ReportsTheLineOfInvalidUtf8) {
    EXPECT_EQ(read_stream(CsvStream(make_chunks("a,b\n\"x\ny\",c\n\"d\n\n\xff\",e\n", 3))).error,
              "6: is not UTF-8");
}

TEST(CsvStream, ReturnsTheErrorOfTheChunkReader) {
    int calls = 0;
    CsvStream stream([&](std::string& chunk) -> Result<> {
        chunk = "a,b\nc,";
        if (++calls < 2) return {};
        return Error{Fault::unavailable, "gone", ""};
    });
    CsvRecord record;
    EXPECT_TRUE(*stream.next(record));
    auto failed = stream.next(record);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().fault, Fault::unavailable);
}

}  // namespace
}  // namespace integreat::formats
