// SPDX-License-Identifier: Apache-2.0
#include "json/value/parse.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace integreat::json {
namespace {

using testing::HasSubstr;

std::string parse_error(std::string_view text, const ParseLimits& limits = {}) {
    auto parsed = parse(text, limits);
    if (parsed) return "accepted";
    EXPECT_EQ(parsed.error().fault, Fault::invalid);
    return parsed.error().message;
}

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

TEST(JsonParse, ReadsEveryKindOfValue) {
    auto parsed =
        parse(R"( {"a":[1,-2,18446744073709551615,0.5,true,false,null,{}],"b":"é\u00e9\ud83d\ude00"} )");
    ASSERT_TRUE(parsed);
    boost::json::array expected{1,     -2,      18446744073709551615u, 0.5, true,
                                false, nullptr, boost::json::object()};
    EXPECT_EQ(parsed->at("a"), expected);
    EXPECT_EQ(parsed->at("b").as_string(), "éé\xF0\x9F\x98\x80");
}

TEST(JsonParse, ReadsStringsAndNamesLongerThanTheParsersBuffer) {
    std::string name(5'000, 'n'), content(10'000, 'c');
    auto parsed = parse("{\"" + name + "\\u0041\":\"" + content + "\\u0042\"}");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->at(name + "A").as_string(), content + "B");
}

TEST(JsonParse, UsesTheStorageItIsGiven) {
    boost::json::monotonic_resource storage;
    auto parsed = parse(R"({"a":{"b":["c"]}})", {}, &storage);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->storage().get(), &storage);
    EXPECT_EQ(parsed->at("a").at("b").at(0).storage().get(), &storage);
}

TEST(JsonParse, RejectsDuplicateNamesWithTheirLocation) {
    EXPECT_EQ(parse_error("{\"aud\":1,\n\"aud\":2}"), "the name \"aud\" is given twice (line 2, column 5)");
    EXPECT_THAT(parse_error(R"({"aud":1,"\u0061ud":2})"), HasSubstr("the name \"aud\" is given twice"));
    EXPECT_THAT(parse_error(R"([{"a":{"b":1,"c":2,"b":1}}])"), HasSubstr("the name \"b\" is given twice"));
    EXPECT_THAT(parse_error(R"({"":1,"":1})"), HasSubstr("given twice"));
    EXPECT_EQ(parse_error(R"({"a":{"a":1},"b":{"a":1}})"), "accepted");
}

TEST(JsonParse, ShortensLongNamesBetweenCharacters) {
    std::string name = std::string(63, 'n') + "é" + std::string(1'000, 'm');
    EXPECT_THAT(parse_error("{\"" + name + "\":1,\"" + name + "\":1}"),
                HasSubstr("\"" + std::string(63, 'n') + "...\" is given twice"));
}

TEST(JsonParse, RejectsTextsThatAreNotRfc8259) {
    for (std::string_view text :
         {"",          " ",           "{",        "[1,]", "{\"a\":1,}", "{a:1}",          "{'a':1}",
          "[1 2]",     "01",          "+1",       "1.",   ".5",         "0x10",           "NaN",
          "-Infinity", "Infinity",    "nul",      "tru",  "/* c */ 1",  "// c\n1",        "\"\t\"",
          "\"\\x\"",   "\"\\u12G4\"", "\"",       "1e",   "-",          "\xEF\xBB\xBF{}", "\"\\",
          "[\"a\"",    "{\"a\"}",     "{\"a\":}", "{1:2}"}) {
        EXPECT_NE(parse_error(text), "accepted") << text;
    }
}

TEST(JsonParse, ReportsTheLocationOfAnError) {
    EXPECT_EQ(parse_error("{\"a\":1,\n  x}"), "'x' is not valid JSON here (line 2, column 3)");
    EXPECT_EQ(parse_error("{\"a\":"), "the text ends before the JSON value does (line 1, column 6)");
    EXPECT_EQ(parse_error("{} {}"), "something follows the JSON value (line 1, column 4)");
}

TEST(JsonParse, RejectsTrailingBytesEvenNul) {
    EXPECT_THAT(parse_error("{}x"), HasSubstr("something follows"));
    EXPECT_THAT(parse_error(std::string_view("{}\0", 3)), HasSubstr("something follows"));
    EXPECT_EQ(parse_error("{}\r\n\t "), "accepted");
}

TEST(JsonParse, RejectsInvalidUtf8AndLoneSurrogates) {
    for (std::string_view bytes : {"\x80", "\xC0\xAF", "\xC3", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xFF",
                                   "\xE2\x28\xA1", "\xF0\x80\x80\x80"}) {
        EXPECT_NE(parse_error("\"" + std::string(bytes) + "\""), "accepted");
        EXPECT_NE(parse_error("{\"" + std::string(bytes) + "\":1}"), "accepted");
    }
    EXPECT_NE(parse_error(R"("\ud800")"), "accepted");
    EXPECT_THAT(parse_error(R"("\udc00")"), HasSubstr("half of a surrogate pair"));
    EXPECT_THAT(parse_error(R"("\ud800\u0041")"), HasSubstr("half of a surrogate pair"));
}

TEST(JsonParse, RejectsNumbersBeyondDouble) {
    EXPECT_THAT(parse_error("1e999"), HasSubstr("too large"));
    EXPECT_THAT(parse_error("[-1e999]"), HasSubstr("too large"));
    EXPECT_THAT(parse_error("1e99999999999999999999"), HasSubstr("too large"));
    EXPECT_EQ(parse_error("1e308"), "accepted");
}

TEST(JsonParse, ReadsTheNearestDouble) {
    auto parsed =
        parse("[0.1,1674407370955161440.1,123456789.123456789,-4.35,5e-324,1e-400,2.2250738585072014e-308]");
    ASSERT_TRUE(parsed);
    boost::json::array expected{0.1, 1674407370955161440.1,  123456789.123456789, -4.35, 5e-324,
                                0.0, 2.2250738585072014e-308};
    EXPECT_EQ(*parsed, expected);
}

TEST(JsonParse, StopsAtItsLimits) {
    EXPECT_EQ(parse_error(nested(32)), "accepted");
    EXPECT_THAT(parse_error(nested(33)), HasSubstr("nested too deep"));
    EXPECT_EQ(parse_error("[[1]]", {.depth_max = 2}), "accepted");
    EXPECT_THAT(parse_error("[[[1]]]", {.depth_max = 2}), HasSubstr("nested too deep"));
    EXPECT_EQ(parse_error("[1,2]", {.max_bytes = 5}), "accepted");
    EXPECT_EQ(parse_error("[1,2] ", {.max_bytes = 5}), "the JSON text is longer than 5 bytes");
    EXPECT_EQ(parse_error(R"({"a":1,"b":2})", {.object_names_max = 2}), "accepted");
    EXPECT_THAT(parse_error(R"({"a":1,"b":2,"c":3})", {.object_names_max = 2}),
                HasSubstr("more than 2 names"));
}

TEST(JsonParse, RejectsAValidTextTruncatedAtAnyByte) {
    std::string text = R"({"a":[1,"x\u00e9",{"b":null}],"c":true})";
    for (std::size_t length = 0; length < text.size(); ++length) {
        EXPECT_NE(parse_error(text.substr(0, length)), "accepted") << length;
    }
}

TEST(JsonParse, RequiresAnObjectInParseObject) {
    EXPECT_TRUE(parse_object("{}"));
    auto rejected = parse_object("[]");
    ASSERT_FALSE(rejected);
    EXPECT_EQ(rejected.error().message, "the JSON value must be an object");
}

}  // namespace
}  // namespace integreat::json
