// SPDX-License-Identifier: Apache-2.0
#include "policy/document/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/document/wildcard.h"

namespace integreat::policy {
namespace {

Pattern compiled(std::string_view source, PatternSyntax syntax = {}) {
    auto pattern = compile(source, syntax);
    EXPECT_TRUE(pattern) << source;
    return *pattern;
}

Context ann_context() {
    Context context;
    set(context, "aws:username", std::string("Ann"));
    set(context, "aws:PrincipalTag/Team", std::string("red"));
    set(context, "cognito-identity.amazonaws.com:sub", std::string("eu-central-1:0b1c"));
    set(context, "aws:TagKeys", std::vector<std::string>{"a", "b"});
    set(context, "tricky:value", std::string("*"));
    set(context, "tricky:byte", std::string("x\xff"));
    set(context, "empty:value", std::string());
    set(context, "empty:set", std::vector<std::string>{});
    return context;
}

struct PatternCase {
    const char* pattern;
    const char* text;
    bool match;
};

TEST(Pattern, ReplacesVariablesFromTheContext) {
    for (const auto& [source, text, match] : {
             PatternCase{"home/${aws:username}/*", "home/Ann/x", true},
             PatternCase{"home/${aws:username}/*", "home/Bob/x", false},
             PatternCase{"${AWS:UserName}", "Ann", true},
             PatternCase{"${aws:principaltag/TEAM}-?", "red-1", true},
             PatternCase{"${cognito-identity.amazonaws.com:sub}/*", "eu-central-1:0b1c/a", true},
             PatternCase{"${aws:username}${aws:username}", "AnnAnn", true},
             PatternCase{"${empty:value}x", "x", true},
             // A variable without a value matches nothing.
             PatternCase{"${aws:PrincipalTag/none}", "", false},
             PatternCase{"${aws:PrincipalTag/none}", "${aws:PrincipalTag/none}", false},
             PatternCase{"*${aws:PrincipalTag/none}*", "x", false},
             PatternCase{"${aws:TagKeys}", "a", false},
             PatternCase{"${empty:set}*", "a", false},
             // Defaults.
             PatternCase{"${aws:userid, 'anonymous'}/*", "anonymous/x", true},
             PatternCase{"${aws:userid,'anonymous'}/*", "anonymous/x", true},
             PatternCase{"${aws:username, 'anonymous'}/*", "anonymous/x", false},
             PatternCase{"${aws:username, 'anonymous'}/*", "Ann/x", true},
             PatternCase{"${aws:TagKeys, 'x'}", "x", false},
             PatternCase{"${aws:userid, ''}x", "x", true},
             // Characters that would mean something.
             PatternCase{"${*}", "*", true},
             PatternCase{"${*}", "a", false},
             PatternCase{"a${?}", "a?", true},
             PatternCase{"a${?}", "ab", false},
             PatternCase{"${$}{x}", "${x}", true},
             PatternCase{"$x$", "$x$", true},
             // The value of a variable is not a pattern.
             PatternCase{"${tricky:value}", "anything", false},
             PatternCase{"${tricky:value}", "*", true},
             PatternCase{"${tricky:byte}", "xyz", false},
             PatternCase{"${tricky:byte}", "x\xff", false},
         }) {
        EXPECT_EQ(matches(compiled(source), text, ann_context()), match) << source << " on " << text;
    }
}

TEST(Pattern, LimitsTheExpandedSize) {
    Context context;
    set(context, "aws:UserAgent", std::string(expanded_bytes_max / 2, 'x'));
    EXPECT_TRUE(expand(compiled("${aws:UserAgent}${aws:UserAgent}"), context));
    EXPECT_FALSE(expand(compiled("${aws:UserAgent}${aws:UserAgent}y${aws:UserAgent}"), context));
    EXPECT_FALSE(expand(compiled("y${aws:UserAgent}${aws:UserAgent}"), context));
    set(context, "aws:UserAgent", std::string(expanded_bytes_max + 1, 'x'));
    EXPECT_FALSE(expand(compiled("${aws:UserAgent}"), context));
}

TEST(Pattern, OldVersionsHaveNoVariables) {
    auto pattern = compiled("${aws:username}/*", {.variables = false});
    EXPECT_TRUE(matches(pattern, "${aws:username}/x", ann_context()));
    EXPECT_FALSE(matches(pattern, "Ann/x", ann_context()));
    EXPECT_TRUE(matches(compiled("${", {.variables = false}), "${", ann_context()));
}

TEST(Pattern, WithoutWildcardsAStarIsAStar) {
    EXPECT_EQ(expand(compiled("a*?${*}", {.wildcards = false}), ann_context()), "a*?*");
    EXPECT_EQ(expand(compiled("S3:Get*", {.variables = false, .ignore_case = true}), ann_context()),
              std::string("s3:get") + any_run);
}

TEST(Pattern, RejectsMalformedVariables) {
    for (const auto& [source, complaint] : std::initializer_list<std::pair<const char*, const char*>>{
             {"a${", "has no closing"},
             {"${aws:username", "has no closing"},
             {"${}", "has no name of a context key"},
             {"${a${b}}", "has no name of a context key"},
             {"${a b}", "has no name of a context key"},
             {"${aws:username, default}", "${key, 'default'}"},
             {"${aws:username, 'default}", "${key, 'default'}"},
             {"${aws:username, 'default' }", "has no closing"},
             {"a\xff", "not valid UTF-8"},
         }) {
        auto pattern = compile(source, {});
        ASSERT_FALSE(pattern) << source;
        EXPECT_EQ(pattern.error().fault, Fault::invalid);
        EXPECT_THAT(pattern.error().message, ::testing::HasSubstr(complaint)) << source;
    }
}

TEST(Context, IgnoresTheCaseOfKeys) {
    Context context;
    set(context, "AWS:SourceIp", std::string("1.2.3.4"));
    set(context, "aws:sourceip", std::string("5.6.7.8"));
    add(context, "aws:TagKeys", "a");
    add(context, "aws:tagkeys", "b");
    ASSERT_EQ(context.keys.size(), 2u);
    EXPECT_EQ(find(context, "aws:sourceip")->front(), "5.6.7.8");
    EXPECT_EQ(find(context, "aws:tagkeys")->size(), 2u);
    EXPECT_EQ(find(context, "aws:none"), nullptr);
}

}  // namespace
}  // namespace integreat::policy
