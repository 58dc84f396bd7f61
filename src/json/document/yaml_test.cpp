// SPDX-License-Identifier: Apache-2.0
#include "json/document/yaml.h"

#include <gtest/gtest.h>

#include "json/value/limits.h"

namespace integreat::json {

namespace {

// "3:5 message" of each mistake.
std::string mistakes_of(std::string_view text) {
    std::string all;
    for (const auto& mistake : parse_yaml(text).mistakes) {
        all += std::to_string(mistake.place.line) + ":" + std::to_string(mistake.place.column) + " " +
               mistake.message + "\n";
    }
    return all;
}

std::string at(const Place& place) {
    return std::to_string(place.line) + ":" + std::to_string(place.column);
}

}  // namespace

TEST(Yaml, KnowsThePlaceOfEachKeyAndValue) {
    auto yaml = parse_yaml("title: Campus\nroutes:\n  - path: /a\n    methods: [GET, \"POST\"]\n");

    ASSERT_TRUE(yaml.mistakes.empty());
    ASSERT_EQ(yaml.root.members.size(), 2u);
    EXPECT_EQ(at(yaml.root.members[1].place), "2:1");
    const Node* post = find(yaml.root, "/routes/0/methods/1");
    ASSERT_TRUE(post);
    EXPECT_EQ(post->text, "POST");
    EXPECT_FALSE(post->plain);
    EXPECT_EQ(at(post->place), "4:20");
    EXPECT_EQ(at(place_of(yaml.root, "/routes/0/path/deeper")), "3:11");
}

TEST(Yaml, CountsColumnsInCharactersNotInBytes) {
    auto yaml = parse_yaml("{ñandú: é, x: y}");
    const Node* y = find(yaml.root, "/x");
    ASSERT_TRUE(y);
    EXPECT_EQ(at(y->place), "1:15");
}

TEST(Yaml, PlacesAMissingValueAtItsKey) {
    auto yaml = parse_yaml("a:\n\n# comment\nb: 1\n");
    const Node* a = find(yaml.root, "/a");
    ASSERT_TRUE(a);
    EXPECT_EQ(a->kind, Node::Kind::null);
    EXPECT_EQ(at(a->place), "1:1");
}

TEST(Yaml, KeepsTheSpellingOfScalars) {
    auto yaml = parse_yaml("country: no\nversion: 1.10\n");
    EXPECT_EQ(find(yaml.root, "/country")->text, "no");
    EXPECT_EQ(find(yaml.root, "/version")->text, "1.10");
}

TEST(Yaml, ReadsFilesWithWindowsLineEnds) {
    auto yaml = parse_yaml("a: 1\r\nb:\r\n  - 2\r\n");
    ASSERT_TRUE(yaml.mistakes.empty());
    EXPECT_EQ(at(find(yaml.root, "/b/0")->place), "3:5");
}

TEST(Yaml, TakesAnEmptyDocumentForNothing) {
    for (auto text : {"", "# only a comment\n", "---\n", "\n\n"}) {
        auto yaml = parse_yaml(text);
        EXPECT_TRUE(yaml.mistakes.empty()) << text;
        EXPECT_EQ(yaml.root.kind, Node::Kind::null);
    }
}

TEST(Yaml, NamesBothPlacesOfADuplicateKey) {
    EXPECT_EQ(mistakes_of("a: 1\nb: 2\na: 3\nb: 4\n"),
              "3:1 duplicate key \"a\": line 1 has it already\n"
              "4:1 duplicate key \"b\": line 2 has it already\n");
    EXPECT_EQ(find(parse_yaml("a: 1\na: 2\n").root, "/a")->text, "1");
}

TEST(Yaml, RefusesAnchorsAliasesAndTags) {
    EXPECT_EQ(mistakes_of("a: &x 1\nb: !!str 2\nc: !mine {}\n"),
              "1:4 anchors (&name) are not allowed here: write the value out\n"
              "2:4 tags are not allowed here: put a text in quotes instead\n"
              "3:4 tags are not allowed here: put a text in quotes instead\n");
    EXPECT_EQ(mistakes_of("a: &x 1\nb: *x\n"),
              "1:4 anchors (&name) are not allowed here: write the value out\n"
              "2:4 aliases (*name) are not allowed here: write the value out\n");
    EXPECT_EQ(mistakes_of("a: *x\n"),
              "1:4 aliases (*name) are not allowed here: quote a text that begins with \"*\"\n");
}

TEST(Yaml, RefusesABillionLaughsWithoutUnfoldingIt) {
    std::string text = "a0: &a0 [x]\n";
    for (int i = 1; i < 30; ++i) {
        std::string last = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + "," + last + "]\n";
    }
    auto yaml = parse_yaml(text);
    EXPECT_FALSE(yaml.complete);
    EXPECT_FALSE(yaml.mistakes.empty());
}

TEST(Yaml, RefusesWhatIsNotOneDocument) {
    EXPECT_EQ(mistakes_of("a: 1\n---\nb: 2\n"), "2:1 a file holds one document: remove this \"---\"\n");
    EXPECT_EQ(mistakes_of("# x\n%YAML 1.2\n---\na: 1\n"),
              "2:1 directives (%) are not allowed here: remove this line\n");
    EXPECT_EQ(mistakes_of("- a\nb: 1\n"),
              "2:1 this does not belong to what is above: check its indentation\n");
}

TEST(Yaml, RefusesKeysThatAreNotTexts) {
    EXPECT_EQ(mistakes_of("[a]: b\n"), "1:1 a key must be a text\n");
    EXPECT_EQ(mistakes_of("a:\n  ~: b\n"), "2:3 a key must be a text\n");
    EXPECT_EQ(mistakes_of("? {a: b}\n: c\n"), "1:3 a key must be a text\n");
}

TEST(Yaml, ExplainsBrokenSyntaxAtItsPlace) {
    EXPECT_EQ(
        mistakes_of("a: b: c\n"),
        "1:5 a \":\" cannot stand here: check the indentation, or quote a text that has \": \" in it\n");
    EXPECT_EQ(mistakes_of("a: \"no end"), "1:11 this text in quotes has no end: a quote is missing\n");
    EXPECT_EQ(mistakes_of("a: [1, 2\n"), "2:1 this list has no end: a \"]\" is missing\n");
    EXPECT_EQ(mistakes_of("a: {b: 1\n"), "2:1 this map has no end: a \"}\" is missing\n");
    EXPECT_EQ(mistakes_of("a: ]\n"), "1:4 a closing bracket without an opening one\n");
}

TEST(Yaml, PointsAtTheTabInIndentation) {
    EXPECT_EQ(mistakes_of("a:\n\tb: 1\n  \tc: 2\n\t# comment\n\t\nd: 1\n"),
              "2:1 indentation must be spaces, and this is a tab\n"
              "3:3 indentation must be spaces, and this is a tab\n");
}

TEST(Yaml, RefusesBytesThatAreNotCleanUtf8) {
    EXPECT_EQ(mistakes_of("\xEF\xBB\xBF"
                          "a: 1\n"),
              "1:1 the file begins with a byte order mark: save it as UTF-8 without one\n");
    EXPECT_EQ(mistakes_of("a: 1\nb: \xFF\n"), "2:4 the file is not UTF-8 from here on: save it as UTF-8\n");
    EXPECT_EQ(mistakes_of("a: \xC0\xAF\n"), "1:4 the file is not UTF-8 from here on: save it as UTF-8\n");
    EXPECT_EQ(mistakes_of(std::string_view("a: \0\n", 5)), "1:4 a control character cannot stand here\n");
    EXPECT_EQ(mistakes_of("a: 1\rb: 2\n"), "1:5 a control character cannot stand here\n");
}

TEST(Yaml, StopsAtItsLimits) {
    std::string key(key_bytes_max, 'k');
    EXPECT_EQ(mistakes_of(key + ": 1\n"), "");
    EXPECT_EQ(
        mistakes_of("a:\n  " + key + "k: 1\nb:\n"),
        "2:3 a key has at most 128 bytes, and this has 129: is a \":\", a quote or a bracket missing?\n");

    std::string deep(depth_max + 1, '[');
    std::string closed(depth_max + 1, ']');
    EXPECT_EQ(mistakes_of(deep + closed), "1:33 lists and maps are nested more than 32 deep\n");

    std::string many = "[";
    for (std::size_t i = 0; i <= nodes_max; ++i)
        many += "1,";
    EXPECT_EQ(mistakes_of(many + "]"), "1:200002 the file has more than 100000 values\n");

    EXPECT_EQ(mistakes_of(std::string(document_bytes_max + 1, '#')),
              "1:1 the file is larger than 1048576 bytes\n");

    std::string repeated;
    for (std::size_t i = 0; i < mistakes_max + 10; ++i)
        repeated += "a: 1\n";
    auto yaml = parse_yaml(repeated);
    EXPECT_FALSE(yaml.complete);
    EXPECT_EQ(yaml.mistakes.size(), mistakes_max + 1);
    EXPECT_EQ(yaml.mistakes.back().message, "there are more mistakes than can be listed");
}

TEST(Yaml, SurvivesHugeNestingOfEveryKind) {
    for (std::string piece : {"[", "{", "- ", "? ", "{a: ", "[{", "a: {", "!x ", "&a "}) {
        std::string text;
        while (text.size() < 200'000)
            text += piece;
        EXPECT_FALSE(parse_yaml(text).mistakes.empty()) << piece;
    }
}

}  // namespace integreat::json
