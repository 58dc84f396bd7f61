// SPDX-License-Identifier: Apache-2.0
#include "formats/csv_stream.h"

#include <random>

#include <gmock/gmock.h>

namespace integreat::formats {
namespace {

using ::testing::HasSubstr;

// The text in pieces of 1 to `most` bytes.
CsvStream::More cut(std::string_view text, std::size_t most, std::uint32_t seed = 1) {
    return [text, most, random = std::minstd_rand(seed)](std::string& piece) mutable -> Result<> {
        piece = text.substr(0, 1 + random() % most);
        text.remove_prefix(piece.size());
        return {};
    };
}

struct Read {
    std::vector<std::string> records;  // With their lines.
    std::string mistake;

    bool operator==(const Read&) const = default;
};

std::string shown(const CsvRecord& record) {
    std::string text = std::to_string(record.line) + ":";
    for (const auto& cell : record.cells)
        text += (cell.quoted ? "[" : "(") + cell.text + (cell.quoted ? "]" : ")");
    return text;
}

Read read(CsvStream stream) {
    Read all;
    CsvRecord record;
    for (;;) {
        auto some = stream.next(record);
        if (!some) all.mistake = std::to_string(stream.line()) + ": " + some.error().message;
        if (!some || !*some) return all;
        all.records.push_back(shown(record));
    }
}

Read read_whole(std::string_view text) {
    Read all;
    auto reading = start_csv(text);
    CsvRecord record;
    for (;;) {
        auto some = next_record(reading, record);
        if (!some) all.mistake = std::to_string(reading.line) + ": " + some.error().message;
        if (!some || !*some) return all;
        all.records.push_back(shown(record));
    }
}

TEST(CsvStream, ReadsTheSameHoweverItIsCut) {
    std::minstd_rand random(7);
    constexpr std::string_view parts[] = {"a", ",",     "\"",     "\"\"", "\r\n", "\n",           "\r",
                                          "ñ", "\"x\"", "\"\n\"", "12.5", ",,",   "\xEF\xBB\xBF", "word "};
    for (std::uint32_t round = 0; round < 3'000; ++round) {
        std::string text;
        for (auto count = random() % 30; count > 0; --count)
            text += parts[random() % std::size(parts)];
        ASSERT_EQ(read(CsvStream(cut(text, 1 + random() % 9, round))), read_whole(text))
            << ::testing::PrintToString(text);
    }
}

TEST(CsvStream, HoldsNoMoreThanALongRecord) {
    std::string text;
    for (int i = 0; i < 20'000; ++i)
        text += std::to_string(i) + ",\"two\r\nlines\"\r\n";
    auto all = read(CsvStream(cut(text, 64 * 1024)));
    EXPECT_EQ(all.records.size(), 20'000u);
    EXPECT_EQ(all.records.back(), "39999:(19999)[two\r\nlines]");
    EXPECT_EQ(all.mistake, "");
}

TEST(CsvStream, LimitsARecordAndACell) {
    CsvLimits limits{.cell_bytes_max = 100, .record_bytes_max = 250};
    auto long_cell = "a,b\nc,\"" + std::string(101, 'x');
    EXPECT_EQ(read(CsvStream(cut(long_cell, 50), limits)).mistake, "2: a cell has more than 100 bytes");
    std::string cell(90, 'x');
    auto long_record = "a\n" + cell + "," + cell + "," + cell + "\n";
    EXPECT_EQ(read(CsvStream(cut(long_record, 50), limits)).mistake, "2: a record has more than 250 bytes");
    EXPECT_EQ(read(CsvStream(cut(long_record, 5'000), limits)).mistake,
              "2: a record has more than 250 bytes");
    EXPECT_EQ(read(CsvStream(cut("a\n" + cell + "," + cell + "\n", 7), limits)).mistake, "");
    auto open = "a\n" + cell + "," + cell + ",\"" + std::string(95, 'x');
    EXPECT_THAT(read(CsvStream(cut(open + cell + cell, 50), limits)).mistake, HasSubstr("2: a"));
}

TEST(CsvStream, NamesTheLineThatIsNotUtf8) {
    EXPECT_EQ(read(CsvStream(cut("a,b\n\"x\ny\",c\n\"d\n\n\xff\",e\n", 3))).mistake, "6: is not UTF-8");
}

TEST(CsvStream, PassesOnWhyThereIsNoMore) {
    int asked = 0;
    CsvStream stream([&](std::string& piece) -> Result<> {
        piece = "a,b\nc,";
        if (++asked < 2) return {};
        return Error{Fault::unavailable, "gone", ""};
    });
    CsvRecord record;
    EXPECT_TRUE(*stream.next(record));
    auto no = stream.next(record);
    ASSERT_FALSE(no);
    EXPECT_EQ(no.error().fault, Fault::unavailable);
}

}  // namespace
}  // namespace integreat::formats
