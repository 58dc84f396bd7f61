// SPDX-License-Identifier: Apache-2.0
#include "json/binding/units.h"

#include <gtest/gtest.h>

namespace integreat::json {

TEST(Units, ReadDurationsOnlyWithAUnit) {
    EXPECT_EQ(parse_duration("250ms"), 250);
    EXPECT_EQ(parse_duration("30s"), 30'000);
    EXPECT_EQ(parse_duration("5m"), 300'000);
    EXPECT_EQ(parse_duration("7d"), 604'800'000);
    for (auto text :
         {"", "30", "s", "-1s", "1.5s", " 1s", "1 s", "1S", "01s", "1s1s", "9223372036854775807d"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Units, ReadSizesWithAndWithoutUnit) {
    EXPECT_EQ(parse_bytes("512"), 512);
    EXPECT_EQ(parse_bytes("512B"), 512);
    EXPECT_EQ(parse_bytes("64KiB"), 65'536);
    EXPECT_EQ(parse_bytes("1MB"), 1'000'000);
    for (auto text : {"", "-1", "1.5MiB", "10mb", "10 MiB", "08", "9223372036854775807KiB"}) {
        EXPECT_FALSE(parse_bytes(text)) << text;
    }
}

TEST(Units, FormatTheShortestForm) {
    EXPECT_EQ(format_duration(90'000), "90s");
    EXPECT_EQ(format_duration(3'600'000), "1h");
    EXPECT_EQ(format_duration(0), "0s");
    EXPECT_EQ(format_bytes(10'485'760), "10MiB");
    EXPECT_EQ(format_bytes(1'000'000), "1MB");
    EXPECT_EQ(format_bytes(1'024'000), "1000KiB");
    EXPECT_EQ(format_bytes(10), "10B");
    EXPECT_EQ(format_bytes(0), "0");
}

TEST(Units, RejectAmbiguousNumbers) {
    EXPECT_EQ(parse_integer("-12"), -12);
    EXPECT_EQ(parse_integer("0"), 0);
    for (auto text : {"010", "-0", "+1", "1_000", "0x10", "1e3", "", "9223372036854775808"}) {
        EXPECT_FALSE(parse_integer(text)) << text;
    }
}

}  // namespace integreat::json
