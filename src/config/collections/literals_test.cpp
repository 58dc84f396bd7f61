// SPDX-License-Identifier: Apache-2.0
#include "config/collections/literals.h"

#include <gtest/gtest.h>

namespace integreat::config {

namespace {

FieldSettings make_field(std::string type) {
    FieldSettings field;
    field.type = std::move(type);
    return field;
}

TEST(Literals, ComparesDecimalsAsWritten) {
    EXPECT_EQ(compare_decimals("1.50", "1.5"), 0);
    EXPECT_EQ(compare_decimals("-0", "0.00"), 0);
    EXPECT_EQ(compare_decimals("9", "10"), -1);
    EXPECT_EQ(compare_decimals("-9", "-10"), 1);
    EXPECT_EQ(compare_decimals("-1", "0.1"), -1);
    EXPECT_EQ(compare_decimals("0.25", "0.3"), -1);
    EXPECT_EQ(compare_decimals("0.10000000000000000001", "0.1"), 1);
    EXPECT_EQ(compare_decimals("99999999999999999999.1", "99999999999999999999.09"), 1);
}

TEST(Literals, RecognizesExistingDates) {
    EXPECT_TRUE(is_date("2028-02-29"));
    for (auto wrong : {"2026-02-29", "2026-13-01", "2026-1-01", "0000-01-01", "2026-00-10", "20260101", "",
                       "2026-01-0a", "+026-01-01"})
        EXPECT_FALSE(is_date(wrong)) << wrong;
}

TEST(Literals, MatchTheirTypes) {
    auto grade = make_field("decimal");
    grade.precision = 3;
    grade.scale = 2;
    grade.min = "1.00";
    grade.max = "5.00";
    EXPECT_FALSE(check_literal(grade, "1.25"));
    EXPECT_EQ(check_literal(grade, "0.75"), "must be at least 1.00");
    EXPECT_EQ(check_literal(grade, "5.25"), "must be at most 5.00");
    EXPECT_EQ(check_literal(grade, "1.125"), "must have at most 2 digits after the point");
    for (auto wrong : {"", ".", "1.", ".5", "+1", "1e3", "01", "1,5", "--1", "NaN"})
        EXPECT_EQ(check_literal(grade, wrong), "must be a decimal such as 12.50") << wrong;
    EXPECT_FALSE(check_literal(make_field("money"), "150000"));
    EXPECT_EQ(check_literal(make_field("money"), "-1"), "must be at least 0");
    EXPECT_TRUE(check_literal(make_field("integer"), "9223372036854775808"));
    EXPECT_FALSE(check_literal(make_field("phone"), "+639171234567"));
    EXPECT_TRUE(check_literal(make_field("phone"), "09171234567"));
}

TEST(Literals, AreMeasuredInCharacters) {
    auto text = make_field("text");
    text.max_length = 3;
    EXPECT_FALSE(check_literal(text, "Ñañ"));
    EXPECT_EQ(check_literal(text, "Ñaña"), "must have at most 3 characters");
}

TEST(Literals, RefusesInvalidAndTooLargePatterns) {
    EXPECT_FALSE(check_pattern("[A-Z]{2}-[0-9]{4}"));
    EXPECT_TRUE(check_pattern("(a)\\1"));
    EXPECT_TRUE(check_pattern("((a{100}){100}){100}"));
}

}  // namespace

}  // namespace integreat::config
