// SPDX-License-Identifier: Apache-2.0
#include "policy/document/wildcard.h"

#include <chrono>
#include <random>

#include <gtest/gtest.h>

namespace integreat::policy {
namespace {

// Written with "*" and "?" as people do.
std::string pattern(std::string text) {
    for (char& c : text) {
        if (c == '*') c = any_run;
        if (c == '?') c = any_one;
    }
    return text;
}

struct Case {
    const char* pattern;
    const char* text;
    bool match;
};

TEST(Wildcard, MatchesTheWholeText) {
    for (const auto& [wanted, text, match] : {
             Case{"", "", true},
             Case{"", "a", false},
             Case{"a", "", false},
             Case{"abc", "abc", true},
             Case{"abc", "abd", false},
             Case{"abc", "abcd", false},
             Case{"*", "", true},
             Case{"*", "anything at all", true},
             Case{"**", "", true},
             Case{"?", "", false},
             Case{"?", "a", true},
             Case{"?", "ab", false},
             Case{"a*", "a", true},
             Case{"a*", "b", false},
             Case{"*a", "ba", true},
             Case{"*a", "ab", false},
             Case{"a*a", "a", false},
             Case{"a*a", "aa", true},
             Case{"ab*ba", "aba", false},
             Case{"ab*ba", "abba", true},
             Case{"*b*", "abc", true},
             Case{"*b*", "ac", false},
             Case{"a*b*c", "a-b-c", true},
             Case{"a*b*c", "a-c-b", false},
             Case{"*ab*ab*", "abab", true},
             Case{"*ab*ab*", "aba", false},
             Case{"*?", "", false},
             Case{"*?", "a", true},
             Case{"?*?", "a", false},
             Case{"?*?", "ab", true},
             Case{"*a?c*", "xxabcxx", true},
             Case{"*a?c*", "xxacxx", false},
             Case{"*a?*?c", "a12c", true},
             Case{"*a?*?c", "a1c", false},
             Case{"*aab*", "aaab", true},
             Case{"*a?b*", "aaab", true},
             Case{"arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b", true},
             Case{"arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", false},
             Case{"arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket2/a", false},
             Case{"s3:get*", "s3:getobject", true},
         }) {
        EXPECT_EQ(matches(pattern(wanted), text), match) << wanted << " on " << text;
    }
}

TEST(Wildcard, OneCharacterIsACodePoint) {
    EXPECT_TRUE(matches(pattern("?"), "é"));
    EXPECT_TRUE(matches(pattern("*/?/*"), "a/€/b"));
    EXPECT_TRUE(matches(pattern("gr?n"), "grün"));
    EXPECT_FALSE(matches(pattern("??"), "é"));
    EXPECT_TRUE(matches(pattern("?"), "😀"));
    EXPECT_TRUE(matches(pattern("é*"), "élan"));
}

TEST(Wildcard, BytesThatAreNoUtf8AreOrdinaryCharacters) {
    EXPECT_TRUE(matches(pattern("a?b"),
                        "a\xff"
                        "b"));
    EXPECT_TRUE(matches(pattern("??"), "\xc3\xc3"));
    EXPECT_FALSE(matches(pattern("ab"), "\xff\xff"));
    EXPECT_FALSE(matches("plain", "\xff"));
    EXPECT_TRUE(matches(pattern("?x"), "\xf4x"));  // The start of a longer sequence.
}

// The definition, tried in every way.
bool by_definition(std::string_view wanted, std::string_view text) {
    if (wanted.empty()) return text.empty();
    if (wanted[0] == any_run) {
        return by_definition(wanted.substr(1), text) ||
               (!text.empty() && by_definition(wanted, text.substr(1)));
    }
    if (text.empty() || (wanted[0] != any_one && wanted[0] != text[0])) return false;
    return by_definition(wanted.substr(1), text.substr(1));
}

TEST(Wildcard, AgreesWithItsDefinitionOnRandomInput) {
    std::mt19937 random(20121017);
    auto made = [&](std::string_view letters, std::size_t length_max) {
        std::string text(random() % (length_max + 1), ' ');
        for (char& c : text)
            c = letters[random() % letters.size()];
        return text;
    };
    int matching = 0;
    for (int i = 0; i < 50'000; ++i) {
        auto wanted = pattern(made("aab*?", 8));
        auto text = made("ab", 10);
        bool expected = by_definition(wanted, text);
        matching += expected;
        ASSERT_EQ(matches(wanted, text), expected) << wanted << " on " << text;
    }
    EXPECT_GT(matching, 2'000);
}

TEST(Wildcard, FindsPiecesLongerThanAWord) {
    std::string piece(200, 'x');
    piece[70] = '?';
    std::string text = std::string(500, 'y') + std::string(200, 'x') + "end";
    EXPECT_TRUE(matches(pattern("*" + piece + "end"), text));
    EXPECT_TRUE(matches(pattern("*" + piece + "*"), text));
    text[500 + 71] = 'y';
    EXPECT_FALSE(matches(pattern("*" + piece + "*"), text));
}

TEST(Wildcard, HostilePatternsTakeNoTime) {
    std::string text(20'000, 'a');
    std::string stars, ones;
    for (int i = 0; i < 500; ++i) {
        stars += "*a";
        ones += "*a?a";
    }
    std::string near = "*" + std::string(1'000, 'a');
    auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(matches(pattern(stars + "*b"), text));
    EXPECT_FALSE(matches(pattern(stars + "*b*"), text));
    EXPECT_FALSE(matches(pattern(ones + "*b*"), text));
    EXPECT_FALSE(matches(pattern(near + "b*"), text));
    EXPECT_FALSE(matches(pattern(near + "?b*"), text));
    EXPECT_FALSE(matches(pattern(std::string(2'000, '?') + "*b*"), text));
    // Backtracking would need years; an unhurried debug build needs milliseconds.
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Wildcard, LowersAsciiOnly) {
    EXPECT_EQ(lower_case("S3:GetObject-ÄZ"), "s3:getobject-Äz");
}

}  // namespace
}  // namespace integreat::policy
