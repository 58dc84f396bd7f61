// SPDX-License-Identifier: Apache-2.0
#include "json/document/yaml.h"

#include <gtest/gtest.h>

namespace integreat::json {

namespace {

// Lists each error as "3:5 message".
std::string parse_errors(std::string_view text) {
    std::string all;
    for (const auto& error : parse_yaml(text).errors) {
        all += std::to_string(error.location.line) + ":" + std::to_string(error.location.column) + " " +
               error.message + "\n";
    }
    return all;
}

std::string to_string(const SourceLocation& location) {
    return std::to_string(location.line) + ":" + std::to_string(location.column);
}

}  // namespace

TEST(Yaml, LocatesEachKeyAndValue) {
    auto yaml = parse_yaml("title: Campus\nroutes:\n  - path: /a\n    methods: [GET, \"POST\"]\n");

    ASSERT_TRUE(yaml.errors.empty());
    ASSERT_EQ(yaml.root.members.size(), 2u);
    EXPECT_EQ(to_string(yaml.root.members[1].location), "2:1");
    const Node* post = find(yaml.root, "/routes/0/methods/1");
    ASSERT_TRUE(post);
    EXPECT_EQ(post->text, "POST");
    EXPECT_FALSE(post->plain);
    EXPECT_EQ(to_string(post->location), "4:20");
    EXPECT_EQ(to_string(find_location(yaml.root, "/routes/0/path/deeper")), "3:11");
}

TEST(Yaml, CountsColumnsInCharactersNotInBytes) {
    auto yaml = parse_yaml("{ñandú: é, x: y}");
    const Node* y = find(yaml.root, "/x");
    ASSERT_TRUE(y);
    EXPECT_EQ(to_string(y->location), "1:15");
}

TEST(Yaml, LocatesAMissingValueAtItsKey) {
    auto yaml = parse_yaml("a:\n\n# comment\nb: 1\n");
    const Node* a = find(yaml.root, "/a");
    ASSERT_TRUE(a);
    EXPECT_EQ(a->kind, Node::Kind::null);
    EXPECT_EQ(to_string(a->location), "1:1");
}

TEST(Yaml, KeepsTheSpellingOfScalars) {
    auto yaml = parse_yaml("country: no\nversion: 1.10\n");
    EXPECT_EQ(find(yaml.root, "/country")->text, "no");
    EXPECT_EQ(find(yaml.root, "/version")->text, "1.10");
}

TEST(Yaml, ReadsFilesWithWindowsLineEnds) {
    auto yaml = parse_yaml("a: 1\r\nb:\r\n  - 2\r\n");
    ASSERT_TRUE(yaml.errors.empty());
    EXPECT_EQ(to_string(find(yaml.root, "/b/0")->location), "3:5");
}

TEST(Yaml, ReadsAnEmptyDocumentAsNull) {
    for (auto text : {"", "# only a comment\n", "---\n", "\n\n"}) {
        auto yaml = parse_yaml(text);
        EXPECT_TRUE(yaml.errors.empty()) << text;
        EXPECT_EQ(yaml.root.kind, Node::Kind::null);
    }
}

TEST(Yaml, ReportsBothLocationsOfADuplicateKey) {
    EXPECT_EQ(parse_errors("a: 1\nb: 2\na: 3\nb: 4\n"),
              "3:1 duplicate key \"a\": first used in line 1\n"
              "4:1 duplicate key \"b\": first used in line 2\n");
    EXPECT_EQ(find(parse_yaml("a: 1\na: 2\n").root, "/a")->text, "1");
}

TEST(Yaml, RejectsAnchorsAliasesAndTags) {
    EXPECT_EQ(parse_errors("a: &x 1\nb: !!str 2\nc: !mine {}\n"),
              "1:4 anchors (&name) are not allowed here: write the value out\n"
              "2:4 tags are not allowed here: put a text in quotes instead\n"
              "3:4 tags are not allowed here: put a text in quotes instead\n");
    EXPECT_EQ(parse_errors("a: &x 1\nb: *x\n"),
              "1:4 anchors (&name) are not allowed here: write the value out\n"
              "2:4 aliases (*name) are not allowed here: write the value out\n");
    EXPECT_EQ(parse_errors("a: *x\n"),
              "1:4 aliases (*name) are not allowed here: quote a text that begins with \"*\"\n");
}

TEST(Yaml, RejectsABillionLaughsWithoutExpandingIt) {
    std::string text = "a0: &a0 [x]\n";
    for (int i = 1; i < 30; ++i) {
        std::string last = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + "," + last + "]\n";
    }
    auto yaml = parse_yaml(text);
    EXPECT_FALSE(yaml.complete);
    EXPECT_FALSE(yaml.errors.empty());
}

TEST(Yaml, RejectsSeveralDocuments) {
    EXPECT_EQ(parse_errors("a: 1\n---\nb: 2\n"), "2:1 a file holds one document: remove this \"---\"\n");
    EXPECT_EQ(parse_errors("# x\n%YAML 1.2\n---\na: 1\n"),
              "2:1 directives (%) are not allowed here: remove this line\n");
    EXPECT_EQ(parse_errors("- a\nb: 1\n"),
              "2:1 this does not continue the value above: check the indentation\n");
}

TEST(Yaml, RejectsKeysThatAreNotTexts) {
    EXPECT_EQ(parse_errors("[a]: b\n"), "1:1 a key must be a text\n");
    EXPECT_EQ(parse_errors("a:\n  ~: b\n"), "2:3 a key must be a text\n");
    EXPECT_EQ(parse_errors("? {a: b}\n: c\n"), "1:3 a key must be a text\n");
}

TEST(Yaml, ExplainsSyntaxErrors) {
    EXPECT_EQ(
        parse_errors("a: b: c\n"),
        "1:5 a \":\" is not allowed here: check the indentation, or quote a text that has \": \" in it\n");
    EXPECT_EQ(parse_errors("a: \"no end"), "1:11 this text in quotes has no end: a quote is missing\n");
    EXPECT_EQ(parse_errors("a: [1, 2\n"), "2:1 this list has no end: a \"]\" is missing\n");
    EXPECT_EQ(parse_errors("a: {b: 1\n"), "2:1 this map has no end: a \"}\" is missing\n");
    EXPECT_EQ(parse_errors("a: ]\n"), "1:4 a closing bracket without an opening one\n");
}

TEST(Yaml, LocatesTabsInIndentation) {
    EXPECT_EQ(parse_errors("a:\n\tb: 1\n  \tc: 2\n\t# comment\n\t\nd: 1\n"),
              "2:1 indentation must be spaces, and this is a tab\n"
              "3:3 indentation must be spaces, and this is a tab\n");
}

TEST(Yaml, RejectsInvalidUtf8AndControlCharacters) {
    EXPECT_EQ(parse_errors("\xEF\xBB\xBF"
                           "a: 1\n"),
              "1:1 the file begins with a byte order mark: save it as UTF-8 without one\n");
    EXPECT_EQ(parse_errors("a: 1\nb: \xFF\n"), "2:4 the file is not UTF-8 from here on: save it as UTF-8\n");
    EXPECT_EQ(parse_errors("a: \xC0\xAF\n"), "1:4 the file is not UTF-8 from here on: save it as UTF-8\n");
    EXPECT_EQ(parse_errors(std::string_view("a: \0\n", 5)), "1:4 a control character is not allowed here\n");
    EXPECT_EQ(parse_errors("a: 1\rb: 2\n"), "1:5 a control character is not allowed here\n");
}

TEST(Yaml, EnforcesItsLimits) {
    std::string key(key_bytes_max, 'k');
    EXPECT_EQ(parse_errors(key + ": 1\n"), "");
    EXPECT_EQ(
        parse_errors("a:\n  " + key + "k: 1\nb:\n"),
        "2:3 a key has at most 128 bytes, and this has 129: check for a missing \":\", quote or bracket\n");

    std::string deep(depth_max + 1, '[');
    std::string closed(depth_max + 1, ']');
    EXPECT_EQ(parse_errors(deep + closed), "1:33 lists and maps are nested more than 32 deep\n");

    std::string many = "[";
    for (std::size_t i = 0; i <= nodes_max; ++i)
        many += "1,";
    EXPECT_EQ(parse_errors(many + "]"), "1:200002 the file has more than 100000 values\n");

    EXPECT_EQ(parse_errors(std::string(document_bytes_max + 1, '#')),
              "1:1 the file is larger than 1048576 bytes\n");

    std::string repeated;
    for (std::size_t i = 0; i < errors_max + 10; ++i)
        repeated += "a: 1\n";
    auto yaml = parse_yaml(repeated);
    EXPECT_FALSE(yaml.complete);
    EXPECT_EQ(yaml.errors.size(), errors_max + 1);
    EXPECT_EQ(yaml.errors.back().message, "there are more errors than can be listed");
}

TEST(Yaml, SurvivesHugeNestingOfEveryKind) {
    for (std::string opening : {"[", "{", "- ", "? ", "{a: ", "[{", "a: {", "!x ", "&a "}) {
        std::string text;
        while (text.size() < 200'000)
            text += opening;
        EXPECT_FALSE(parse_yaml(text).errors.empty()) << opening;
    }
}

}  // namespace integreat::json
