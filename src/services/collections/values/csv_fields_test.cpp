// SPDX-License-Identifier: Apache-2.0
#include "services/collections/values/csv_fields.h"

#include <array>
#include <random>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace integreat::collections {
namespace {

Field make_csv_field(FieldType type) {
    Field field;
    field.name = "f";
    field.type = type;
    field.currency = "PHP";
    return field;
}

std::string parse_error(FieldType type, std::string text) {
    auto value = parse_csv_field(make_csv_field(type), {.text = std::move(text), .quoted = true});
    return value ? "" : value.error().message;
}

TEST(CsvFields, FormatMoneyInMajorUnitsExactly) {
    EXPECT_EQ(format_major_units("150000", "PHP"), "1500.00");
    EXPECT_EQ(format_major_units("5", "PHP"), "0.05");
    EXPECT_EQ(format_major_units("-5", "PHP"), "-0.05");
    EXPECT_EQ(format_major_units("0", "USD"), "0.00");
    EXPECT_EQ(format_major_units("1500", "JPY"), "1500");
    EXPECT_EQ(format_major_units("1500", "KWD"), "1.500");
    EXPECT_EQ(format_major_units("9223372036854775807", "PHP"), "92233720368547758.07");
    EXPECT_EQ(format_major_units("-9223372036854775808", "PHP"), "-92233720368547758.08");
}

TEST(CsvFields, RoundTripMoneyToTheMinorUnit) {
    for (const char* currency : {"PHP", "JPY", "KWD", "CLF"}) {
        for (const char* minor : {"0", "1", "-1", "10", "99", "-100", "123456789", "9007199254740993",
                                  "9223372036854775807", "-9223372036854775808"}) {
            auto back = parse_minor_units(format_major_units(minor, currency), currency);
            ASSERT_TRUE(back) << minor << currency;
            EXPECT_EQ(std::to_string(*back), minor);
        }
    }
    EXPECT_EQ(*parse_minor_units("1500", "PHP"), 150000);
    EXPECT_EQ(*parse_minor_units("1500.5", "PHP"), 150050);
    for (const char* invalid :
         {"", "-", ".", "1.", ".5", "1.005", "1,500.00", "1e3", "+1", " 1", "--1", "1.-5", "₱5"})
        EXPECT_FALSE(parse_minor_units(invalid, "PHP")) << invalid;
    EXPECT_FALSE(parse_minor_units("1.0", "JPY"));
    EXPECT_EQ(parse_minor_units("92233720368547758.08", "PHP").error().message, "is out of range");
}

TEST(CsvFields, RoundTripRandomAmounts) {
    std::minstd_rand random(20261123);
    for (int i = 0; i < 50'000; ++i) {
        auto bits = static_cast<std::uint64_t>(random()) << 33 | static_cast<std::uint64_t>(random()) << 2 |
                    random() % 4;
        auto amount = static_cast<std::int64_t>(bits) >> (random() % 64);
        const char* currency = std::array{"PHP", "JPY", "KWD", "CLF"}[random() % 4];
        auto money = make_csv_field(FieldType::money);
        money.currency = currency;
        std::string line;
        append_csv_field(line, money, std::to_string(amount));
        formats::CsvRecord record;
        auto reading = formats::make_csv_parser(line);
        ASSERT_TRUE(*formats::parse_csv_record(reading, record));
        auto value = parse_csv_field(money, record.cells.at(0));
        ASSERT_TRUE(value) << line << currency;
        ASSERT_EQ(value->at("amount").as_int64(), amount) << line << currency;
    }
}

TEST(CsvFields, ReportTheExpectedFormat) {
    EXPECT_EQ(parse_error(FieldType::integer, "12x"), "must be a whole number");
    EXPECT_EQ(parse_error(FieldType::integer, "9223372036854775808"), "is out of range");
    EXPECT_EQ(parse_error(FieldType::boolean, "yes"), "must be true or false");
    EXPECT_EQ(parse_error(FieldType::boolean, "TRUE"), "");
    EXPECT_EQ(parse_error(FieldType::money, "1500.001"), "must be an amount of PHP, such as 1500.00");
    EXPECT_TRUE(parse_error(FieldType::list, "a,b").starts_with("must be JSON: "));
    EXPECT_TRUE(parse_error(FieldType::address, "{\"city\": 1, \"city\": 2}").starts_with("must be JSON: "));
}

TEST(CsvFields, DistinguishAnEmptyTextFromNull) {
    EXPECT_TRUE(parse_csv_field(make_csv_field(FieldType::text), {.text = "", .quoted = false})->is_null());
    EXPECT_TRUE(parse_csv_field(make_csv_field(FieldType::text), {.text = "", .quoted = true})->is_string());
    EXPECT_TRUE(parse_csv_field(make_csv_field(FieldType::date), {.text = "", .quoted = true})->is_null());
}

TEST(CsvFields, GuardTextFieldsOnly) {
    std::string cell;
    append_csv_field(cell, make_csv_field(FieldType::text), "=SUM(A1)");
    EXPECT_EQ(cell, "'=SUM(A1)");
    EXPECT_EQ(parse_csv_field(make_csv_field(FieldType::text), {.text = cell})->as_string(), "=SUM(A1)");
    cell.clear();
    append_csv_field(cell, make_csv_field(FieldType::integer), "-5");
    EXPECT_EQ(cell, "-5");
    cell.clear();
    append_csv_field(cell, make_csv_field(FieldType::timestamp), "2026-11-22 08:15:00.5+00");
    EXPECT_EQ(cell, "2026-11-22T08:15:00.5Z");
    cell.clear();
    append_csv_field(cell, make_csv_field(FieldType::json), "\"=1\"");
    EXPECT_EQ(cell, "\"\"\"=1\"\"\"");
}

}  // namespace
}  // namespace integreat::collections
