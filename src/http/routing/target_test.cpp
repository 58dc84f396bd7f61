// SPDX-License-Identifier: Apache-2.0
#include "http/routing/target.h"

#include <gmock/gmock.h>

namespace integreat::http {
namespace {

using testing::HasSubstr;

struct InvalidTarget {
    std::string target;
    std::string sentence;
};

class RefusedTarget : public testing::TestWithParam<InvalidTarget> {};

TEST_P(RefusedTarget, NamesTheError) {
    auto result = check_target(GetParam().target);
    ASSERT_FALSE(result) << GetParam().target;
    EXPECT_EQ(result.error().fault, Fault::invalid);
    EXPECT_THAT(result.error().message, HasSubstr(GetParam().sentence)) << GetParam().target;
}

INSTANTIATE_TEST_SUITE_P(
    Targets, RefusedTarget,
    testing::Values(
        InvalidTarget{"", "must start with a slash"}, InvalidTarget{"*", "must start with a slash"},
        InvalidTarget{"http://host/", "must start with a slash"}, InvalidTarget{"/a b", "visible ASCII"},
        InvalidTarget{"/a\x7f", "visible ASCII"}, InvalidTarget{"/caf\xc3\xa9", "visible ASCII"},
        InvalidTarget{std::string("/a\0b", 4), "visible ASCII"}, InvalidTarget{"/a#b", "fragment"},
        InvalidTarget{"/a?b#c", "fragment"}, InvalidTarget{"/a\\b", "backslash"},
        InvalidTarget{"//a", "empty segment"}, InvalidTarget{"/a//b", "empty segment"},
        InvalidTarget{"/a//", "empty segment"}, InvalidTarget{"/./a", "dot segment"},
        InvalidTarget{"/a/..", "dot segment"}, InvalidTarget{"/a/../b", "dot segment"},
        InvalidTarget{"/a/%2e%2E/b", "dot segment"}, InvalidTarget{"/a/.%2e", "dot segment"},
        InvalidTarget{"/a/..;x=1/b", "dot segment"}, InvalidTarget{"/a/%2e%2e%3bx/b", "dot segment"},
        InvalidTarget{"/a%2fb", "escaped slash"}, InvalidTarget{"/a/..%2Fb", "escaped slash"},
        InvalidTarget{"/a%5cb", "escaped slash or backslash"}, InvalidTarget{"/a%00", "control"},
        InvalidTarget{"/a%0d%0ab", "control"}, InvalidTarget{"/a%7f", "control"},
        InvalidTarget{"/a%", "malformed escape"}, InvalidTarget{"/a%4", "malformed escape"},
        InvalidTarget{"/a%4g", "malformed escape"}, InvalidTarget{"/a%c0%af", "not UTF-8"},
        InvalidTarget{"/a%ed%a0%80", "not UTF-8"}, InvalidTarget{"/a%ff", "not UTF-8"},
        InvalidTarget{"/a%f4%90%80%80", "not UTF-8"}, InvalidTarget{"/a%e2%82", "not UTF-8"},
        InvalidTarget{"/a?b=%0", "malformed escape"}, InvalidTarget{"/a?b=%00", "NUL"}));

TEST(Target, AcceptsOrdinaryTargets) {
    for (auto target :
         {"/", "/a", "/a/", "/v1/apps/campus/me?x=1&y=%20", "/a/..b/.c/d..", "/a;v=1/b", "/a?b=../c//",
          "/%E2%82%AC/%f0%9f%98%80", "/a?b=%ff", "/a?b?c", "/%2541", "/a,b:c@d!$&'()*+=~"}) {
        EXPECT_TRUE(check_target(target)) << target;
    }
}

TEST(PercentCoding, DecodesAndEncodes) {
    EXPECT_EQ(percent_decode("%C3%A9+%2b"), "\xc3\xa9++");
    EXPECT_EQ(percent_decode("a%20b+c%7e", true), "a b c~");
    EXPECT_EQ(percent_decode("+%2B+", true), " + ");
    EXPECT_EQ(percent_decode("", true), "");
    EXPECT_EQ(percent_decode("a+b", true), "a b");
    EXPECT_EQ(percent_decode("100%"), std::nullopt);
    EXPECT_EQ(percent_decode("100%2"), std::nullopt);
    EXPECT_EQ(percent_decode("%zz"), std::nullopt);
    EXPECT_EQ(percent_encode("a b/\xc3\xa9~-._"), "a%20b%2F%C3%A9~-._");
    EXPECT_EQ(percent_encode(std::string("\0%", 2)), "%00%25");
}

TEST(Query, ReturnsDecodedPairsInOrder) {
    auto pairs = parse_query("a=1&b=x+y%26&&c&a=&=v&d=e=f");
    ASSERT_TRUE(pairs);
    using Pair = std::pair<std::string, std::string>;
    EXPECT_THAT(*pairs, testing::ElementsAre(Pair{"a", "1"}, Pair{"b", "x y&"}, Pair{"c", ""}, Pair{"a", ""},
                                             Pair{"", "v"}, Pair{"d", "e=f"}));
    EXPECT_TRUE(parse_query("")->empty());
}

TEST(Query, RefusesTooManyPairsAndMalformedEscapes) {
    std::string query = "x=1";
    for (int i = 1; i < 100; ++i)
        query += "&x=1";
    EXPECT_EQ(parse_query(query)->size(), 100u);
    EXPECT_THAT(parse_query(query + "&x=1").error().message, HasSubstr("more than 100 parameters"));
    EXPECT_EQ(parse_query(query + "&x=1", 101)->size(), 101u);
    EXPECT_THAT(parse_query("a=%4").error().message, HasSubstr("malformed escape"));
    EXPECT_THAT(parse_query("%=1").error().message, HasSubstr("malformed escape"));
}

}  // namespace
}  // namespace integreat::http
