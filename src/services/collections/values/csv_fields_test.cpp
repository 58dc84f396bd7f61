// SPDX-License-Identifier: Apache-2.0
#include "services/collections/values/csv_fields.h"

#include <array>
#include <random>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace integreat::collections {
namespace {

Field field(FieldType type) {
    Field made;
    made.name = "f";
    made.type = type;
    made.currency = "PHP";
    return made;
}

std::string mistake(FieldType type, std::string text) {
    auto value = cell_value(field(type), {.text = std::move(text), .quoted = true});
    return value ? "" : value.error().message;
}

TEST(Cells, WriteMoneyInMajorUnitsExactly) {
    EXPECT_EQ(major_units("150000", "PHP"), "1500.00");
    EXPECT_EQ(major_units("5", "PHP"), "0.05");
    EXPECT_EQ(major_units("-5", "PHP"), "-0.05");
    EXPECT_EQ(major_units("0", "USD"), "0.00");
    EXPECT_EQ(major_units("1500", "JPY"), "1500");
    EXPECT_EQ(major_units("1500", "KWD"), "1.500");
    EXPECT_EQ(major_units("9223372036854775807", "PHP"), "92233720368547758.07");
    EXPECT_EQ(major_units("-9223372036854775808", "PHP"), "-92233720368547758.08");
}

TEST(Cells, ReadMoneyBackToTheLastUnit) {
    for (const char* currency : {"PHP", "JPY", "KWD", "CLF"}) {
        for (const char* minor : {"0", "1", "-1", "10", "99", "-100", "123456789", "9007199254740993",
                                  "9223372036854775807", "-9223372036854775808"}) {
            auto back = minor_units(major_units(minor, currency), currency);
            ASSERT_TRUE(back) << minor << currency;
            EXPECT_EQ(std::to_string(*back), minor);
        }
    }
    EXPECT_EQ(*minor_units("1500", "PHP"), 150000);
    EXPECT_EQ(*minor_units("1500.5", "PHP"), 150050);
    for (const char* wrong :
         {"", "-", ".", "1.", ".5", "1.005", "1,500.00", "1e3", "+1", " 1", "--1", "1.-5", "₱5"})
        EXPECT_FALSE(minor_units(wrong, "PHP")) << wrong;
    EXPECT_FALSE(minor_units("1.0", "JPY"));
    EXPECT_EQ(minor_units("92233720368547758.08", "PHP").error().message, "is too large an amount");
}

TEST(Cells, ReadAnyAmountBackAsItWas) {
    std::minstd_rand random(20261123);
    for (int i = 0; i < 50'000; ++i) {
        auto bits = static_cast<std::uint64_t>(random()) << 33 | static_cast<std::uint64_t>(random()) << 2 |
                    random() % 4;
        auto amount = static_cast<std::int64_t>(bits) >> (random() % 64);
        const char* currency = std::array{"PHP", "JPY", "KWD", "CLF"}[random() % 4];
        auto money = field(FieldType::money);
        money.currency = currency;
        std::string line;
        append_cell(line, money, std::to_string(amount));
        formats::CsvRecord record;
        auto reading = formats::start_csv(line);
        ASSERT_TRUE(*formats::next_record(reading, record));
        auto value = cell_value(money, record.cells.at(0));
        ASSERT_TRUE(value) << line << currency;
        ASSERT_EQ(value->at("amount").as_int64(), amount) << line << currency;
    }
}

TEST(Cells, SayWhatTheyMustBe) {
    EXPECT_EQ(mistake(FieldType::integer, "12x"), "must be a whole number");
    EXPECT_EQ(mistake(FieldType::integer, "9223372036854775808"), "is too large a number");
    EXPECT_EQ(mistake(FieldType::boolean, "yes"), "must be true or false");
    EXPECT_EQ(mistake(FieldType::boolean, "TRUE"), "");
    EXPECT_EQ(mistake(FieldType::money, "1500.001"), "must be an amount of PHP, such as 1500.00");
    EXPECT_TRUE(mistake(FieldType::list, "a,b").starts_with("must be JSON: "));
    EXPECT_TRUE(mistake(FieldType::address, "{\"city\": 1, \"city\": 2}").starts_with("must be JSON: "));
}

TEST(Cells, TellAnEmptyTextFromNoValue) {
    EXPECT_TRUE(cell_value(field(FieldType::text), {.text = "", .quoted = false})->is_null());
    EXPECT_TRUE(cell_value(field(FieldType::text), {.text = "", .quoted = true})->is_string());
    EXPECT_TRUE(cell_value(field(FieldType::date), {.text = "", .quoted = true})->is_null());
}

TEST(Cells, GuardTextsAndNothingElse) {
    std::string cell;
    append_cell(cell, field(FieldType::text), "=SUM(A1)");
    EXPECT_EQ(cell, "'=SUM(A1)");
    EXPECT_EQ(cell_value(field(FieldType::text), {.text = cell})->as_string(), "=SUM(A1)");
    cell.clear();
    append_cell(cell, field(FieldType::integer), "-5");
    EXPECT_EQ(cell, "-5");
    cell.clear();
    append_cell(cell, field(FieldType::timestamp), "2026-11-22 08:15:00.5+00");
    EXPECT_EQ(cell, "2026-11-22T08:15:00.5Z");
    cell.clear();
    append_cell(cell, field(FieldType::json), "\"=1\"");
    EXPECT_EQ(cell, "\"\"\"=1\"\"\"");
}

}  // namespace
}  // namespace integreat::collections
