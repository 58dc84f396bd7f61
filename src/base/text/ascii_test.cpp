// SPDX-License-Identifier: Apache-2.0
#include "base/text/ascii.h"

#include <array>

#include <gmock/gmock.h>

namespace integreat {
namespace {

using testing::ElementsAre;

TEST(Ascii, ConvertsTheCaseOfAsciiLettersOnly) {
    EXPECT_EQ(to_lower("Content-LENGTH @[`{ 09 \xC3\x84"), "content-length @[`{ 09 \xC3\x84");
    EXPECT_EQ(to_upper("Content-length @[`{ 09 \xC3\xA4"), "CONTENT-LENGTH @[`{ 09 \xC3\xA4");
    EXPECT_EQ(to_lower(""), "");
    static_assert(to_lower('Z') == 'z' && to_upper('a') == 'A' && to_lower('\xC4') == '\xC4');
}

TEST(Ascii, ClassifiesCharacters) {
    static_assert(is_digit('0') && is_digit('9') && !is_digit('/') && !is_digit(':'));
    static_assert(is_alpha('A') && is_alpha('z') && !is_alpha('@') && !is_alpha('[') && !is_alpha('\xC4'));
    static_assert(is_alnum('5') && is_alnum('b') && !is_alnum('_'));
    EXPECT_TRUE(is_digits("0123456789"));
    EXPECT_FALSE(is_digits(""));
    EXPECT_FALSE(is_digits("-1"));
}

TEST(Ascii, ComparesWithoutRegardToCase) {
    EXPECT_TRUE(iequals("Host", "hOST"));
    EXPECT_FALSE(iequals("Host", "Hos"));
    EXPECT_FALSE(iequals("[", "{"));
    EXPECT_TRUE(istarts_with("X-Amz-Date", "x-amz-"));
    EXPECT_FALSE(istarts_with("X-Am", "x-amz-"));
}

TEST(Ascii, TrimsSpacesAndTabs) {
    EXPECT_EQ(trim(" \t a b\t "), "a b");
    EXPECT_EQ(trim(" \t "), "");
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim("a\r\n"), "a\r\n");
    EXPECT_EQ(trim("\r\n a\r\n", " \r\n"), "a");
}

TEST(Ascii, SplitsAtEachSeparator) {
    EXPECT_THAT(split("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
    EXPECT_THAT(split(",", ','), ElementsAre("", ""));
    EXPECT_THAT(split("", ','), ElementsAre(""));
}

TEST(Ascii, JoinsWithASeparator) {
    EXPECT_EQ(join(std::vector<std::string>{"a", "", "b"}, ", "), "a, , b");
    EXPECT_EQ(join(std::vector<std::string>{"", "a"}, ","), ",a");
    EXPECT_EQ(join(std::array<std::string_view, 1>{"a"}, ","), "a");
    EXPECT_EQ(join(std::vector<std::string>(), ","), "");
}

}  // namespace
}  // namespace integreat
