// SPDX-License-Identifier: Apache-2.0
#include "policy/document/operand.h"

#include <gtest/gtest.h>

namespace integreat::policy {
namespace {

TEST(Operand, ParsesNumbers) {
    EXPECT_EQ(parse_number("10"), 10);
    EXPECT_EQ(parse_number("-1.5"), -1.5);
    EXPECT_EQ(parse_number("+2"), 2);
    EXPECT_EQ(parse_number("1e3"), 1000);
    for (auto text : {"", "+", "ten", "1 ", " 1", "1,5", "0x10", "inf", "nan", "1e999", "++1"})
        EXPECT_FALSE(parse_number(text)) << text;
}

TEST(Operand, ParsesDatesOfIso8601AndEpochSeconds) {
    auto at = from_unix_seconds(1'795'335'300);  // 2026-11-22T08:15:00Z
    EXPECT_EQ(parse_date("2026-11-22T08:15:00Z"), at);
    EXPECT_EQ(parse_date("2026-11-22T08:15Z"), at);
    EXPECT_EQ(parse_date("2026-11-22T09:15+01:00"), at);
    EXPECT_EQ(parse_date("2026-11-22T09:15:00.000+01:00"), at);
    EXPECT_EQ(parse_date("1795335300"), at);
    EXPECT_EQ(parse_date("2026-11-22"), from_unix_seconds(1'795'305'600));
    EXPECT_EQ(parse_date("2026-11"), parse_date("2026-11-01"));
    EXPECT_EQ(parse_date("2026"), parse_date("2026-01-01T00:00:00Z"));
    EXPECT_EQ(parse_date("0"), from_unix_seconds(0));
    for (auto text : {"", "soon", "2026-13", "2026-11-31", "2026-11-22T08:15", "2026-11-22T25:00Z", "-5",
                      "99999999999999999999", "2026-11-22T08:15:00.00000000000000000000000000001Z"})
        EXPECT_FALSE(parse_date(text)) << text;
}

TEST(Operand, ParsesBooleansInAnyCase) {
    EXPECT_EQ(parse_boolean("true"), true);
    EXPECT_EQ(parse_boolean("False"), false);
    for (auto text : {"", "1", "yes", "truex", "falsey"})
        EXPECT_FALSE(parse_boolean(text)) << text;
}

TEST(Operand, ParsesBase64) {
    EXPECT_EQ(parse_base64("QmluYXJ5VmFsdWVJbkJhc2U2NA=="), "BinaryValueInBase64");
    EXPECT_EQ(parse_base64(""), "");
    EXPECT_EQ(parse_base64("/+8="), "\xff\xef");
    EXPECT_EQ(parse_base64("YWJj"), "abc");
    for (auto text : {"a", "ab", "abc", "ab=c", "a===", "====", "ab*=", "ab_-"})
        EXPECT_FALSE(parse_base64(text)) << text;
}

TEST(Operand, MatchesAddressesOfACidrBlock) {
    auto has = [](std::string_view block, std::string_view address) {
        auto network = parse_network(block);
        auto host = parse_network(address);
        EXPECT_TRUE(network && host) << block << " " << address;
        return network && host && contains(*network, *host);
    };
    EXPECT_TRUE(has("203.0.113.0/24", "203.0.113.255"));
    EXPECT_FALSE(has("203.0.113.0/24", "203.0.114.0"));
    EXPECT_TRUE(has("203.0.113.7", "203.0.113.7"));
    EXPECT_FALSE(has("203.0.113.7", "203.0.113.8"));
    EXPECT_TRUE(has("10.0.0.0/9", "10.127.255.255"));
    EXPECT_FALSE(has("10.0.0.0/9", "10.128.0.0"));
    EXPECT_TRUE(has("0.0.0.0/0", "255.255.255.255"));
    EXPECT_TRUE(has("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:ffff::1"));
    EXPECT_FALSE(has("2001:DB8:1234:5678::/64", "2001:db8:1234:5679::1"));
    EXPECT_FALSE(has("::/0", "1.2.3.4"));
    EXPECT_FALSE(has("0.0.0.0/0", "::1"));
    EXPECT_TRUE(has("203.0.113.0/24", "::ffff:203.0.113.9"));
    EXPECT_TRUE(has("::ffff:203.0.113.0/120", "203.0.113.9"));
    EXPECT_FALSE(has("203.0.113.0/25", "203.0.113.0/24"));
    for (auto text : {"", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "::1/129", "1.2.3.4/+8", "x/8",
                      "256.1.1.1", "1.2.3.4/8/8"})
        EXPECT_FALSE(parse_network(text)) << text;
    EXPECT_FALSE(parse_network(std::string_view("1.2.3.4\0x", 9)));
}

}  // namespace
}  // namespace integreat::policy
