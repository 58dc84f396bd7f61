// SPDX-License-Identifier: Apache-2.0
#include "json/binding/describe.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "json/binding/json_schema.h"
#include "json/binding/manual.h"
#include "json/binding/reader.h"
#include "json/binding/yaml_writer.h"
#include "json/document/yaml.h"

namespace integreat::json {

namespace {

struct Leaf {
    std::string name;
    int size = 3;
};
template <class Visitor>
void fields(Visitor& visit, Leaf& leaf) {
    visit("size", leaf.size, "Length in cm.", {.minimum = 1, .maximum = 9});
}

struct Tree {
    std::string kind = "oak";
    Secret key;
    std::size_t bytes = 2048;
    std::chrono::seconds age{90};
    bool tall = true;
    std::vector<std::string> birds{"owl", "no", "a: b"};
    std::optional<Leaf> top;
    std::vector<Leaf> by_name;
    std::vector<Leaf> in_order;
};
template <class Visitor>
void fields(Visitor& visit, Tree& tree) {
    visit("kind", tree.kind, "Species.", {.required = true, .choices = {"oak", "elm"}});
    visit("key", tree.key, "Secret key.", {.reference = true});
    visit("bytes", tree.bytes, "Size in bytes.", {.minimum = 1024, .bytes = true});
    visit("age", tree.age, "Age.", {.maximum = 600'000});
    visit("tall", tree.tall, "Whether it is tall.");
    visit("birds", tree.birds, "Resident birds.", {.max_items = 5, .pattern = "^[a-z]+$"});
    visit("top", tree.top, "The topmost leaf.");
    visit.map_of("by_name", tree.by_name, &Leaf::name, "Leaves with names.", {.pattern = "^[a-z]+$"});
    visit("in_order", tree.in_order, "Leaves in order.");
}

}  // namespace

TEST(Describe, ConvertsEveryRuleToJsonSchema) {
    Tree tree;
    auto schema = to_json_schema(describe(tree), "A tree");
    EXPECT_EQ(boost::json::value(schema), boost::json::parse(R"({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A tree",
        "type": "object", "additionalProperties": false, "required": ["kind"],
        "properties": {
            "kind": {"type": "string", "enum": ["oak", "elm"], "description": "Species."},
            "key": {"type": "string", "pattern": "^env:[A-Z_][A-Z0-9_]*$", "description": "Secret key."},
            "bytes": {"anyOf": [{"type": "integer", "minimum": 1024},
                                {"type": "string", "pattern": "^(0|[1-9][0-9]*)(B|kB|KiB|MB|MiB|GB|GiB)?$"}],
                      "description": "Size in bytes.", "default": "2KiB"},
            "age": {"type": "string", "pattern": "^(0|[1-9][0-9]*)(ms|s|m|h|d)$", "description": "Age.",
                    "default": "90s"},
            "tall": {"type": "boolean", "description": "Whether it is tall.", "default": true},
            "birds": {"type": "array", "maxItems": 5, "minItems": 1, "uniqueItems": true,
                      "items": {"type": "string", "maxLength": 500, "minLength": 1, "pattern": "^[a-z]+$"},
                      "description": "Resident birds."},
            "top": {"type": "object", "additionalProperties": false, "description": "The topmost leaf.",
                    "properties": {"size": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3,
                                            "description": "Length in cm."}}},
            "by_name": {"type": "object", "maxProperties": 100, "minProperties": 1,
                        "propertyNames": {"pattern": "^[a-z]+$"}, "description": "Leaves with names.",
                        "additionalProperties": {"type": "object", "additionalProperties": false,
                         "properties": {"size": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3,
                                                    "description": "Length in cm."}}}},
            "in_order": {"type": "array", "maxItems": 100, "minItems": 1, "description": "Leaves in order.",
                         "items": {"type": "object", "additionalProperties": false,
                         "properties": {"size": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3,
                                                    "description": "Length in cm."}}}}
        }})"));
}

TEST(Describe, WritesTheManual) {
    Tree tree;
    EXPECT_EQ(to_markdown(describe(tree), "tree.yaml"),
              "## tree.yaml\n\n"
              "| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
              "| `kind` | `oak`, `elm` | **required** | Species. |\n"
              "| `key` | `env:NAME` |  | Secret key. |\n"
              "| `bytes` | size, at least 1KiB | `2KiB` | Size in bytes. |\n"
              "| `age` | duration, at most 10m | `90s` | Age. |\n"
              "| `tall` | `true` or `false` | `true` | Whether it is tall. |\n"
              "| `birds` | list of text | `[owl, no, a: b]` | Resident birds. |\n"
              "| `by_name` | map of names, keys below |  | Leaves with names. |\n"
              "| `in_order` | list, keys below |  | Leaves in order. |\n\n"
              "### `top`\n\nThe topmost leaf.\n\n"
              "| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
              "| `size` | number, 1 to 9 | `3` | Length in cm. |\n\n"
              "### `by_name.NAME`\n\nLeaves with names.\n\n"
              "| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
              "| `size` | number, 1 to 9 | `3` | Length in cm. |\n\n"
              "### `in_order[]`\n\nLeaves in order.\n\n"
              "| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
              "| `size` | number, 1 to 9 | `3` | Length in cm. |\n\n");
}

TEST(Describe, WritesYamlThatParsesToTheSameValues) {
    Tree tree;
    tree.top = Leaf{.size = 1};
    tree.by_name = {{.name = "a", .size = 4}, {.name = "b"}};
    tree.in_order = {{.size = 5}, {.size = 6}};

    std::string yaml = to_yaml(describe(tree));

    EXPECT_EQ(yaml, R"(kind: oak
bytes: 2KiB
age: 90s
tall: true
birds: [owl, no, "a: b"]
top:
  size: 1
by_name:
  a:
    size: 4
  b:
    size: 3
in_order:
  - size: 5
  - size: 6
)");
    Tree again;
    auto errors = read(parse_yaml(yaml).root, again);
    EXPECT_TRUE(errors.empty()) << errors[0].message;
    EXPECT_EQ(to_yaml(describe(again)), yaml);
}

TEST(Describe, ShowsOnlyWhetherASecretIsSet) {
    Tree tree;
    tree.key = Secret("hunter2");
    std::string yaml = to_yaml(describe(tree));
    EXPECT_EQ(yaml.find("hunter2"), std::string::npos);
    EXPECT_NE(yaml.find("key: \"(set)\"\n"), std::string::npos);
}

TEST(Describe, QuotesTextsThatYamlWouldReadAsOtherTypes) {
    for (std::string text : {"",
                             "-",
                             "null",
                             "~",
                             "a: b",
                             "a:",
                             "#x",
                             "a #b",
                             "{x}",
                             "é",
                             "say \"hi\"",
                             "a\nb",
                             "\x7f",
                             "*",
                             "&a",
                             "@x",
                             "a\\b",
                             " a ",
                             "http://x:1/a?b",
                             "env:A:http://h"}) {
        auto yaml = parse_yaml("key: " + to_yaml_scalar(text) + "\n");
        ASSERT_TRUE(yaml.errors.empty()) << text;
        const Node* node = find(yaml.root, "/key");
        EXPECT_EQ(node->kind, Node::Kind::text) << text;
        EXPECT_EQ(node->text, text);
    }
}

}  // namespace integreat::json
