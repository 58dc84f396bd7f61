// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/schema.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

namespace integreat::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view key_schema = R"({
    "type": "object", "additionalProperties": false, "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 5, "description": "What it is for."},
        "scopes": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
        "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 10},
        "kind": {"enum": ["a", "b"]},
        "a/b": {"type": "boolean"}
    }})";

std::vector<std::string> mistakes(std::string_view json) {
    auto schema = compile_schema(key_schema);
    EXPECT_TRUE(schema) << schema.error().message;
    std::vector<std::string> lines;
    for (const auto& mistake : validate(*schema, boost::json::parse(json))) {
        lines.push_back(mistake.pointer + " " + mistake.detail);
    }
    return lines;
}

TEST(Schema, AcceptsWhatFits) {
    EXPECT_THAT(mistakes(R"({"name":"\u00e9\u00e9\u00e9\u00e9\u00e9","scopes":["x"],"days":3.0,"kind":"b"})"),
                ElementsAre());
    EXPECT_THAT(mistakes(R"({"name":"x","days":null})"), ElementsAre());
}

TEST(Schema, ReportsEveryMistakeWithItsPlace) {
    EXPECT_THAT(mistakes(R"({"scopes":["x",1,"y"],"days":11,"kind":"c","nam":"x","a/b":1})"),
                testing::UnorderedElementsAre("#/name is required", "#/scopes must have at most 2 items",
                                              "#/days must be at most 1E1", "#/kind must be \"a\" or \"b\"",
                                              "#/nam is not known here, did you mean \"name\"?",
                                              "#/a~1b must be boolean"));
    EXPECT_THAT(mistakes(R"({"name":"","scopes":[1]})"),
                ElementsAre("#/name must have at least 1 characters", "#/scopes/0 must be string"));
    EXPECT_THAT(mistakes("[]"), ElementsAre("# must be object"));
    EXPECT_THAT(mistakes(R"({"name":"x","days":1.5})"), ElementsAre("#/days must be integer or null"));
}

TEST(Schema, StopsCountingAtSomePoint) {
    auto schema = compile_schema(R"({"items":{"type":"string"}})");
    boost::json::array many(1000, 1);
    EXPECT_EQ(validate(*schema, many).size(), 50u);
}

TEST(Schema, RefusesKeywordsItWouldNotCheck) {
    EXPECT_THAT(compile_schema(R"({"pattern":"x"})").error().message, HasSubstr("\"pattern\""));
    EXPECT_THAT(compile_schema(R"({"properties":{"a":{"$ref":"x"}}})").error().message,
                HasSubstr("\"$ref\""));
    EXPECT_THAT(compile_schema("{").error().message, HasSubstr("is not JSON"));
    EXPECT_THAT(compile_schema(R"({"minimum":"x"})").error().message, HasSubstr("needs a number"));
}

}  // namespace
}  // namespace integreat::gateway
