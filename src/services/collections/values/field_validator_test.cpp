// SPDX-License-Identifier: Apache-2.0
#include "services/collections/values/field_validator.h"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "json/value/parse.h"
#include "services/collections/values/field_formats.h"

namespace integreat::collections {
namespace {

Field make_field(FieldType type) {
    Field field;
    field.name = "f";
    field.type = type;
    field.currency = "PHP";
    field.max_items = 3;
    field.max_bytes = 40;
    field.precision = 6;
    field.scale = 2;
    return field;
}

// Returns the Postgres text, or the errors as "#/f: must …".
std::string validate(const Field& one, std::string_view body) {
    auto value = json::parse(body);
    EXPECT_TRUE(value) << body;
    ValidationErrors errors;
    auto text = validate_value(compile_field(one), *value, "/f", errors);
    EXPECT_EQ(text.has_value(), errors.empty());
    if (text) return *text;
    std::string all;
    for (const auto& error : errors.list)
        all += (all.empty() ? "" : "; ") + error.pointer + ": " + error.detail;
    return all;
}

std::string validate(FieldType type, std::string_view body) {
    return validate(make_field(type), body);
}

TEST(FieldValidator, AcceptsPhilippinePhoneNumberSpellings) {
    for (const char* mobile : {"0917 123 4567", "+639171234567", "63-917-123-4567", "917 123 4567",
                               "(0917) 123.4567", "+63 (0)917 123 4567", "0063 917 123 4567"}) {
        auto normalized = normalize_phone(mobile);
        ASSERT_TRUE(normalized) << mobile;
        EXPECT_EQ(*normalized, "+639171234567") << mobile;
    }
    EXPECT_EQ(*normalize_phone("(02) 8123-4567"), "+63281234567");
    EXPECT_EQ(*normalize_phone("032 412 3456"), "+63324123456");
    EXPECT_EQ(*normalize_phone("+1 212 555 0100"), "+12125550100");
    for (const char* invalid :
         {"", "0917 123 456", "0917 123 45678", "12345", "+6391712345678", "0917-CALL-NOW", "+0123456789",
          "1917 123 4567", "+1234567890123456", "０９１７"}) {
        EXPECT_FALSE(normalize_phone(invalid)) << invalid;
    }
}

TEST(FieldValidator, LowercasesOnlyTheDomainOfAnEmail) {
    EXPECT_EQ(*normalize_email("Ana.Reyes@Example.PH"), "Ana.Reyes@example.ph");
    for (const char* invalid : {"", "ana", "ana@", "@example.ph", "ana@example", "a@b..ph", ".ana@example.ph",
                                "ana@-example.ph", "a na@example.ph", "ana@example.1", "ana@@example.ph"}) {
        EXPECT_FALSE(normalize_email(invalid)) << invalid;
    }
    EXPECT_FALSE(normalize_email(std::string(65, 'a') + "@example.ph"));
}

TEST(FieldValidator, RejectsDatesThatAreNotCalendarDays) {
    EXPECT_EQ(*normalize_date("2028-02-29"), "2028-02-29");
    for (const char* invalid :
         {"2026-02-29", "0000-01-01", "2026-13-01", "2026-1-1", "26-01-01", "2026-01-01 "})
        EXPECT_FALSE(normalize_date(invalid)) << invalid;
}

TEST(FieldValidator, ConvertsTimestampsToUtc) {
    EXPECT_EQ(*normalize_timestamp("2026-11-23T16:15:00.25+08:00"), "2026-11-23T08:15:00.25Z");
    EXPECT_FALSE(normalize_timestamp("2026-11-23 08:15"));
    EXPECT_FALSE(normalize_timestamp("0000-01-01T00:00:00Z"));
    EXPECT_FALSE(normalize_timestamp("9999-12-31T23:59:59-08:00"));
    EXPECT_FALSE(normalize_timestamp("now"));
}

TEST(FieldValidator, KeepsEveryDigitOfDecimals) {
    EXPECT_EQ(*normalize_decimal("-0012.500"), "-12.5");
    EXPECT_EQ(*normalize_decimal("-0.00"), "0");
    for (const char* invalid : {"", "-", "1.", ".5", "1e3", "NaN", "Infinity", "1,5", "+1", " 1"})
        EXPECT_FALSE(normalize_decimal(invalid)) << invalid;
    EXPECT_EQ(validate(FieldType::decimal, R"("1234.50")"), "1234.5");
    EXPECT_EQ(validate(FieldType::decimal, "0.1"), "0.1");
    EXPECT_EQ(validate(FieldType::decimal, "1234.56"), "1234.56");
    EXPECT_EQ(validate(FieldType::decimal, R"("0.125")"), "#/f: must have at most 2 decimals");
    EXPECT_EQ(validate(FieldType::decimal, R"("12345")"), "#/f: must have at most 4 digits before the point");
    auto wide = make_field(FieldType::decimal);
    wide.precision = 30, wide.scale = 10;
    EXPECT_EQ(validate(wide, R"("12345678901234567890.0123456789")"), "12345678901234567890.0123456789");
    EXPECT_EQ(validate(wide, "0.12345678901234567"),
              "#/f: has more digits than a JSON number can hold: send it as a string");
}

TEST(FieldValidator, ComparesDecimalsWithTheirBoundsAsWritten) {
    auto bounded = make_field(FieldType::decimal);
    bounded.min = "0.00";
    bounded.max = "5.00";
    EXPECT_EQ(validate(bounded, R"("5.00")"), "5");
    EXPECT_EQ(validate(bounded, R"("5.01")"), "#/f: must be at most 5.00");
    EXPECT_EQ(validate(bounded, R"("-0.01")"), "#/f: must be at least 0.00");
}

TEST(FieldValidator, AcceptsMoneyInMinorUnitsOnly) {
    EXPECT_EQ(validate(FieldType::money, R"({"amount": 150000, "currency": "PHP"})"), "150000");
    EXPECT_EQ(validate(FieldType::money, R"({"amount": 9223372036854775807})"), "9223372036854775807");
    EXPECT_EQ(validate(FieldType::money, R"({"amount": 1500.5})"),
              "#/f/amount: must be a whole number of minor units");
    EXPECT_EQ(validate(FieldType::money, R"({"amount": 1, "currency": "USD"})"), "#/f/currency: must be PHP");
    EXPECT_EQ(validate(FieldType::money, R"({"amount": 1, "cents": 2})"),
              "#/f/cents: is unknown: money has amount and currency");
    EXPECT_EQ(validate(FieldType::money, "1500"),
              R"(#/f: must be an amount in minor units, such as {"amount": 150000})");
}

TEST(FieldValidator, CountsCharactersAndNotBytes) {
    auto name = make_field(FieldType::text);
    name.max_length = 4;
    name.min_length = 2;
    EXPECT_EQ(validate(name, R"("Niña")"), "Niña");
    EXPECT_EQ(validate(name, R"("Niñas")"), "#/f: must have at most 4 characters");
    EXPECT_EQ(validate(name, R"("ñ")"), "#/f: must have at least 2 characters");
    EXPECT_EQ(validate(name, R"("a\u0000b")"), "#/f: must not contain a NUL character");
    name.pattern = "[a-z]+";
    EXPECT_EQ(validate(name, R"("abc")"), "abc");
    EXPECT_EQ(validate(name, R"("abc\n")"), "#/f: must match [a-z]+");
}

TEST(FieldValidator, SuggestsTheClosestEnumValue) {
    auto program = make_field(FieldType::enumeration);
    program.values = {"bsit", "bscs"};
    EXPECT_EQ(validate(program, R"("bscs")"), "bscs");
    EXPECT_EQ(validate(program, R"("bsitt")"), "#/f: must be one of bsit, bscs, did you mean \"bsit\"?");
    EXPECT_EQ(validate(program, "3"), "#/f: must be a string");
}

TEST(FieldValidator, ReportsEveryErrorInAnAddress) {
    EXPECT_EQ(validate(FieldType::address, R"({"city": "Cebu", "barangay": "Lahug", "line": null})"),
              R"({"city":"Cebu","barangay":"Lahug","country":"PH"})");
    EXPECT_EQ(validate(FieldType::address, R"({"latitude": 91, "citi": "Cebu", "country": "Philippines"})"),
              "#/f/latitude: must be a number of degrees, at most 90; "
              "#/f/citi: is unknown, did you mean \"city\"?; "
              "#/f/country: must be two letters of ISO 3166, such as PH; #/f/city: is required");
    EXPECT_EQ(validate(FieldType::file, R"({"name": "a.pdf"})"), "#/f/key: is required");
}

TEST(FieldValidator, ConvertsListsToPostgresArrays) {
    auto tags = make_field(FieldType::list);
    tags.max_length = 10;
    EXPECT_EQ(validate(tags, R"(["a", "b \"c\"", "d\\e"])"), R"({"a","b \"c\"","d\\e"})");
    EXPECT_EQ(validate(tags, "[]"), "{}");
    EXPECT_EQ(validate(tags, R"(["a", 1, null])"), "#/f/1: must be a string; #/f/2: must be a string");
    EXPECT_EQ(validate(tags, R"(["a", "b", "c", "d"])"), "#/f: must have at most 3 items");
}

TEST(FieldValidator, LimitsJsonValues) {
    EXPECT_EQ(validate(FieldType::json, R"({"a": [1, 2.5, "x"]})").substr(0, 8), R"({"a":[1,)");
    EXPECT_EQ(validate(FieldType::json, '"' + std::string(39, 'x') + '"'), "#/f: must have at most 40 bytes");
    EXPECT_EQ(validate(FieldType::json, R"({"a\u0000": 1})"), "#/f: must not contain a NUL character");
}

TEST(FieldValidator, DropsErrorsBeyondTheLimit) {
    ValidationErrors errors;
    for (int i = 0; i < 100; ++i)
        errors.add("/x", "is wrong");
    EXPECT_EQ(errors.list.size(), ValidationErrors::count_max);
}

TEST(FieldValidator, NormalizesOperandsByFieldType) {
    EXPECT_EQ(*normalize_operand(make_field(FieldType::integer), "12"), "12");
    EXPECT_EQ(*normalize_operand(make_field(FieldType::money), "150000"), "150000");
    EXPECT_EQ(*normalize_operand(make_field(FieldType::timestamp), "2026-01-01T08:00:00+08:00"),
              "2026-01-01T00:00:00Z");
    EXPECT_EQ(*normalize_operand(make_field(FieldType::phone), "0917 123 4567"), "+639171234567");
    EXPECT_FALSE(normalize_operand(make_field(FieldType::integer), "12; DROP TABLE"));
    EXPECT_FALSE(normalize_operand(make_field(FieldType::integer), "99999999999999999999"));
    EXPECT_FALSE(normalize_operand(make_field(FieldType::date), "yesterday"));
    EXPECT_FALSE(normalize_operand(make_field(FieldType::boolean), "1"));
    EXPECT_FALSE(normalize_operand(make_field(FieldType::json), "{}"));
    EXPECT_FALSE(normalize_operand(make_field(FieldType::reference), "me"));
}

}  // namespace
}  // namespace integreat::collections
