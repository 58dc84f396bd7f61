// SPDX-License-Identifier: Apache-2.0
#include "policy/document/wildcard.h"

#include <chrono>
#include <random>

#include <gtest/gtest.h>

namespace integreat::policy {
namespace {

// Converts a pattern written with "*" and "?".
std::string pattern(std::string text) {
    for (char& c : text) {
        if (c == '*') c = any_run;
        if (c == '?') c = any_one;
    }
    return text;
}

struct WildcardCase {
    const char* pattern;
    const char* text;
    bool match;
};

TEST(Wildcard, MatchesTheWholeText) {
    for (const auto& [glob, text, match] : {
             WildcardCase{"", "", true},
             WildcardCase{"", "a", false},
             WildcardCase{"a", "", false},
             WildcardCase{"abc", "abc", true},
             WildcardCase{"abc", "abd", false},
             WildcardCase{"abc", "abcd", false},
             WildcardCase{"*", "", true},
             WildcardCase{"*", "anything at all", true},
             WildcardCase{"**", "", true},
             WildcardCase{"?", "", false},
             WildcardCase{"?", "a", true},
             WildcardCase{"?", "ab", false},
             WildcardCase{"a*", "a", true},
             WildcardCase{"a*", "b", false},
             WildcardCase{"*a", "ba", true},
             WildcardCase{"*a", "ab", false},
             WildcardCase{"a*a", "a", false},
             WildcardCase{"a*a", "aa", true},
             WildcardCase{"ab*ba", "aba", false},
             WildcardCase{"ab*ba", "abba", true},
             WildcardCase{"*b*", "abc", true},
             WildcardCase{"*b*", "ac", false},
             WildcardCase{"a*b*c", "a-b-c", true},
             WildcardCase{"a*b*c", "a-c-b", false},
             WildcardCase{"*ab*ab*", "abab", true},
             WildcardCase{"*ab*ab*", "aba", false},
             WildcardCase{"*?", "", false},
             WildcardCase{"*?", "a", true},
             WildcardCase{"?*?", "a", false},
             WildcardCase{"?*?", "ab", true},
             WildcardCase{"*a?c*", "xxabcxx", true},
             WildcardCase{"*a?c*", "xxacxx", false},
             WildcardCase{"*a?*?c", "a12c", true},
             WildcardCase{"*a?*?c", "a1c", false},
             WildcardCase{"*aab*", "aaab", true},
             WildcardCase{"*a?b*", "aaab", true},
             WildcardCase{"arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b", true},
             WildcardCase{"arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", false},
             WildcardCase{"arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket2/a", false},
             WildcardCase{"s3:get*", "s3:getobject", true},
         }) {
        EXPECT_EQ(matches(pattern(glob), text), match) << glob << " on " << text;
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

TEST(Wildcard, InvalidUtf8BytesAreCharacters) {
    EXPECT_TRUE(matches(pattern("a?b"),
                        "a\xff"
                        "b"));
    EXPECT_TRUE(matches(pattern("??"), "\xc3\xc3"));
    EXPECT_FALSE(matches(pattern("ab"), "\xff\xff"));
    EXPECT_FALSE(matches("plain", "\xff"));
    EXPECT_TRUE(matches(pattern("?x"), "\xf4x"));  // The start of a longer sequence.
}

// A reference implementation with backtracking.
bool matches_reference(std::string_view glob, std::string_view text) {
    if (glob.empty()) return text.empty();
    if (glob[0] == any_run) {
        return matches_reference(glob.substr(1), text) ||
               (!text.empty() && matches_reference(glob, text.substr(1)));
    }
    if (text.empty() || (glob[0] != any_one && glob[0] != text[0])) return false;
    return matches_reference(glob.substr(1), text.substr(1));
}

TEST(Wildcard, MatchesAReferenceImplementationOnRandomInput) {
    std::mt19937 random(20121017);
    auto random_text = [&](std::string_view letters, std::size_t max_length) {
        std::string text(random() % (max_length + 1), ' ');
        for (char& c : text)
            c = letters[random() % letters.size()];
        return text;
    };
    int matching = 0;
    for (int i = 0; i < 50'000; ++i) {
        auto glob = pattern(random_text("aab*?", 8));
        auto text = random_text("ab", 10);
        bool expected = matches_reference(glob, text);
        matching += expected;
        ASSERT_EQ(matches(glob, text), expected) << glob << " on " << text;
    }
    EXPECT_GT(matching, 2'000);
}

TEST(Wildcard, FindsChunksLongerThanAMachineWord) {
    std::string segment(200, 'x');
    segment[70] = '?';
    std::string text = std::string(500, 'y') + std::string(200, 'x') + "end";
    EXPECT_TRUE(matches(pattern("*" + segment + "end"), text));
    EXPECT_TRUE(matches(pattern("*" + segment + "*"), text));
    text[500 + 71] = 'y';
    EXPECT_FALSE(matches(pattern("*" + segment + "*"), text));
}

TEST(Wildcard, HostilePatternsAreFast) {
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
    // Backtracking would take years; a debug build takes milliseconds.
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

}  // namespace
}  // namespace integreat::policy
