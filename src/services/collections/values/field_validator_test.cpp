// SPDX-License-Identifier: Apache-2.0
#include "services/collections/values/field_validator.h"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "json/value/parse.h"

namespace integreat::collections {
namespace {

Field field(FieldType type) {
    Field made;
    made.name = "f";
    made.type = type;
    made.currency = "PHP";
    made.items_max = 3;
    made.bytes_max = 40;
    made.digits = 6;
    made.scale = 2;
    return made;
}

// The text for Postgres, or the mistakes as "#/f: must ...".
std::string checked(const Field& one, std::string_view body) {
    auto value = json::parse(body);
    EXPECT_TRUE(value) << body;
    Mistakes mistakes;
    auto text = check_value(form_of(one), *value, "/f", mistakes);
    EXPECT_EQ(text.has_value(), mistakes.none());
    if (text) return *text;
    std::string all;
    for (const auto& mistake : mistakes.all)
        all += (all.empty() ? "" : "; ") + mistake.pointer + ": " + mistake.detail;
    return all;
}

std::string checked(FieldType type, std::string_view body) {
    return checked(field(type), body);
}

TEST(Values, TakesPhoneNumbersAsPeopleInThePhilippinesWriteThem) {
    for (const char* mobile : {"0917 123 4567", "+639171234567", "63-917-123-4567", "917 123 4567",
                               "(0917) 123.4567", "+63 (0)917 123 4567", "0063 917 123 4567"}) {
        auto normal = normal_phone(mobile);
        ASSERT_TRUE(normal) << mobile;
        EXPECT_EQ(*normal, "+639171234567") << mobile;
    }
    EXPECT_EQ(*normal_phone("(02) 8123-4567"), "+63281234567");
    EXPECT_EQ(*normal_phone("032 412 3456"), "+63324123456");
    EXPECT_EQ(*normal_phone("+1 212 555 0100"), "+12125550100");
    for (const char* none : {"", "0917 123 456", "0917 123 45678", "12345", "+6391712345678", "0917-CALL-NOW",
                             "+0123456789", "1917 123 4567", "+1234567890123456", "０９１７"}) {
        EXPECT_FALSE(normal_phone(none)) << none;
    }
}

TEST(Values, LowerCasesTheDomainOfAnEmailAndNothingElse) {
    EXPECT_EQ(*normal_email("Ana.Reyes@Example.PH"), "Ana.Reyes@example.ph");
    for (const char* none : {"", "ana", "ana@", "@example.ph", "ana@example", "a@b..ph", ".ana@example.ph",
                             "ana@-example.ph", "a na@example.ph", "ana@example.1", "ana@@example.ph"}) {
        EXPECT_FALSE(normal_email(none)) << none;
    }
    EXPECT_FALSE(normal_email(std::string(65, 'a') + "@example.ph"));
}

TEST(Values, KnowsTheCalendar) {
    EXPECT_EQ(*normal_date("2028-02-29"), "2028-02-29");
    for (const char* none : {"2026-02-29", "0000-01-01", "2026-13-01", "2026-1-1", "26-01-01", "2026-01-01 "})
        EXPECT_FALSE(normal_date(none)) << none;
}

TEST(Values, AnswersTimesInUtc) {
    EXPECT_EQ(*normal_timestamp("2026-11-23T16:15:00.25+08:00"), "2026-11-23T08:15:00.25Z");
    EXPECT_FALSE(normal_timestamp("2026-11-23 08:15"));
    EXPECT_FALSE(normal_timestamp("0000-01-01T00:00:00Z"));
    EXPECT_FALSE(normal_timestamp("9999-12-31T23:59:59-08:00"));
    EXPECT_FALSE(normal_timestamp("now"));
}

TEST(Values, KeepsEveryDigitOfDecimals) {
    EXPECT_EQ(*normal_decimal("-0012.500"), "-12.5");
    EXPECT_EQ(*normal_decimal("-0.00"), "0");
    for (const char* none : {"", "-", "1.", ".5", "1e3", "NaN", "Infinity", "1,5", "+1", " 1"})
        EXPECT_FALSE(normal_decimal(none)) << none;
    EXPECT_EQ(checked(FieldType::decimal, R"("1234.50")"), "1234.5");
    EXPECT_EQ(checked(FieldType::decimal, "0.1"), "0.1");
    EXPECT_EQ(checked(FieldType::decimal, "1234.56"), "1234.56");
    EXPECT_EQ(checked(FieldType::decimal, R"("0.125")"), "#/f: must have at most 2 decimals");
    EXPECT_EQ(checked(FieldType::decimal, R"("12345")"), "#/f: must have at most 4 digits before the point");
    auto wide = field(FieldType::decimal);
    wide.digits = 30, wide.scale = 10;
    EXPECT_EQ(checked(wide, R"("12345678901234567890.0123456789")"), "12345678901234567890.0123456789");
    EXPECT_EQ(checked(wide, "0.12345678901234567"),
              "#/f: has more digits than a JSON number keeps: send it as a text");
}

TEST(Values, ComparesDecimalsWithoutRounding) {
    EXPECT_LT(compare_decimals("9.99", "10"), 0);
    EXPECT_GT(compare_decimals("-9.99", "-10"), 0);
    EXPECT_EQ(compare_decimals("12.5", "12.5"), 0);
    EXPECT_GT(compare_decimals("0.10000000000000000001", "0.1"), 0);
    EXPECT_LT(compare_decimals("-1", "0"), 0);
    auto bounded = field(FieldType::decimal);
    bounded.least = "0.00";
    bounded.most = "5.00";
    EXPECT_EQ(checked(bounded, R"("5.00")"), "5");
    EXPECT_EQ(checked(bounded, R"("5.01")"), "#/f: must be at most 5.00");
    EXPECT_EQ(checked(bounded, R"("-0.01")"), "#/f: must be at least 0.00");
}

TEST(Values, TakesMoneyInMinorUnitsOnly) {
    EXPECT_EQ(checked(FieldType::money, R"({"amount": 150000, "currency": "PHP"})"), "150000");
    EXPECT_EQ(checked(FieldType::money, R"({"amount": 9223372036854775807})"), "9223372036854775807");
    EXPECT_EQ(checked(FieldType::money, R"({"amount": 1500.5})"),
              "#/f/amount: must be a whole number of minor units");
    EXPECT_EQ(checked(FieldType::money, R"({"amount": 1, "currency": "USD"})"), "#/f/currency: must be PHP");
    EXPECT_EQ(checked(FieldType::money, R"({"amount": 1, "cents": 2})"),
              "#/f/cents: is not a member of money");
    EXPECT_EQ(checked(FieldType::money, "1500"),
              R"(#/f: must be an amount in minor units, such as {"amount": 150000})");
}

TEST(Values, CountsCharactersAndNotBytes) {
    auto name = field(FieldType::text);
    name.length_max = 4;
    name.length_min = 2;
    EXPECT_EQ(checked(name, R"("Niña")"), "Niña");
    EXPECT_EQ(checked(name, R"("Niñas")"), "#/f: must have at most 4 characters");
    EXPECT_EQ(checked(name, R"("ñ")"), "#/f: must have at least 2 characters");
    EXPECT_EQ(checked(name, R"("a\u0000b")"), "#/f: must not have a NUL character");
    name.pattern = "[a-z]+";
    EXPECT_EQ(checked(name, R"("abc")"), "abc");
    EXPECT_EQ(checked(name, R"("abc\n")"), "#/f: must match [a-z]+");
}

TEST(Values, SuggestsAmongChoices) {
    auto program = field(FieldType::enumeration);
    program.values = {"bsit", "bscs"};
    EXPECT_EQ(checked(program, R"("bscs")"), "bscs");
    EXPECT_EQ(checked(program, R"("bsitt")"), "#/f: must be one of bsit, bscs, did you mean \"bsit\"?");
    EXPECT_EQ(checked(program, "3"), "#/f: must be a text");
}

TEST(Values, TellsEachMistakeInAnAddress) {
    EXPECT_EQ(checked(FieldType::address, R"({"city": "Cebu", "barangay": "Lahug", "line": null})"),
              R"({"city":"Cebu","barangay":"Lahug","country":"PH"})");
    EXPECT_EQ(checked(FieldType::address, R"({"latitude": 91, "citi": "Cebu", "country": "Philippines"})"),
              "#/f/latitude: must be a number of degrees, at most 90; "
              "#/f/citi: is not known here, did you mean \"city\"?; "
              "#/f/country: must be two letters of ISO 3166, such as PH; #/f/city: is required");
    EXPECT_EQ(checked(FieldType::file, R"({"name": "a.pdf"})"), "#/f/key: is required");
}

TEST(Values, WritesListsAsArraysOfPostgres) {
    auto tags = field(FieldType::list);
    tags.length_max = 10;
    EXPECT_EQ(checked(tags, R"(["a", "b \"c\"", "d\\e"])"), R"({"a","b \"c\"","d\\e"})");
    EXPECT_EQ(checked(tags, "[]"), "{}");
    EXPECT_EQ(checked(tags, R"(["a", 1, null])"), "#/f/1: must be a text; #/f/2: must be a text");
    EXPECT_EQ(checked(tags, R"(["a", "b", "c", "d"])"), "#/f: must have at most 3 items");
}

TEST(Values, LimitsFreeJson) {
    EXPECT_EQ(checked(FieldType::json, R"({"a": [1, 2.5, "x"]})").substr(0, 8), R"({"a":[1,)");
    EXPECT_EQ(checked(FieldType::json, '"' + std::string(39, 'x') + '"'), "#/f: must have at most 40 bytes");
    EXPECT_EQ(checked(FieldType::json, R"({"a\u0000": 1})"), "#/f: must not have a NUL character");
}

TEST(Values, CollectsNoMoreMistakesThanItsLimit) {
    Mistakes mistakes;
    for (int i = 0; i < 100; ++i)
        mistakes.add("/x", "is wrong");
    EXPECT_EQ(mistakes.all.size(), Mistakes::most);
}

TEST(Values, ReadsOperandsByTheTypeOfTheirField) {
    EXPECT_EQ(*check_operand(field(FieldType::integer), "12"), "12");
    EXPECT_EQ(*check_operand(field(FieldType::money), "150000"), "150000");
    EXPECT_EQ(*check_operand(field(FieldType::timestamp), "2026-01-01T08:00:00+08:00"),
              "2026-01-01T00:00:00Z");
    EXPECT_EQ(*check_operand(field(FieldType::phone), "0917 123 4567"), "+639171234567");
    EXPECT_FALSE(check_operand(field(FieldType::integer), "12; DROP TABLE"));
    EXPECT_FALSE(check_operand(field(FieldType::integer), "99999999999999999999"));
    EXPECT_FALSE(check_operand(field(FieldType::date), "yesterday"));
    EXPECT_FALSE(check_operand(field(FieldType::boolean), "1"));
    EXPECT_FALSE(check_operand(field(FieldType::json), "{}"));
    EXPECT_FALSE(check_operand(field(FieldType::reference), "me"));
}

}  // namespace
}  // namespace integreat::collections
