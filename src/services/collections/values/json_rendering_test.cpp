// SPDX-License-Identifier: Apache-2.0
#include "services/collections/values/json_rendering.h"

#include <gtest/gtest.h>

namespace integreat::collections {
namespace {

std::string rendered(FieldType type, std::string_view text, FieldType element = FieldType::text) {
    Field field;
    field.type = type;
    field.element = element;
    field.currency = "PHP";
    std::string json;
    append_value(json, field, text);
    return json;
}

TEST(JsonRendering, ConvertsPostgresTextByFieldType) {
    EXPECT_EQ(rendered(FieldType::text, "a \"b\"\n\xc3\xb1"), "\"a \\\"b\\\"\\n\xc3\xb1\"");
    EXPECT_EQ(rendered(FieldType::integer, "9007199254740993"), "9007199254740993");
    EXPECT_EQ(rendered(FieldType::decimal, "12.50"), "\"12.50\"");
    EXPECT_EQ(rendered(FieldType::money, "150000"), R"({"amount":150000,"currency":"PHP"})");
    EXPECT_EQ(rendered(FieldType::boolean, "t"), "true");
    EXPECT_EQ(rendered(FieldType::boolean, "f"), "false");
    EXPECT_EQ(rendered(FieldType::date, "2026-11-23"), "\"2026-11-23\"");
    EXPECT_EQ(rendered(FieldType::json, R"({"a": [1, 2]})"), R"({"a": [1, 2]})");
}

TEST(JsonRendering, RendersTimestampsInUtcForAnyServerTimeZone) {
    EXPECT_EQ(rendered(FieldType::timestamp, "2026-11-22 08:15:00.5+00"), "\"2026-11-22T08:15:00.5Z\"");
    EXPECT_EQ(rendered(FieldType::timestamp, "2026-11-22 08:15:00+00"), "\"2026-11-22T08:15:00Z\"");
    EXPECT_EQ(rendered(FieldType::timestamp, "2026-11-22 16:15:00.25+08"), "\"2026-11-22T08:15:00.25Z\"");
    EXPECT_EQ(rendered(FieldType::timestamp, "2026-11-22 13:45:00+05:30"), "\"2026-11-22T08:15:00Z\"");
}

TEST(JsonRendering, ParsesPostgresArrayLiterals) {
    EXPECT_EQ(parse_array_literal("{}"), std::vector<std::string>{});
    EXPECT_EQ(parse_array_literal(R"({a,"b c","d\"e\\f","",x})"),
              (std::vector<std::string>{"a", "b c", "d\"e\\f", "", "x"}));
    EXPECT_EQ(rendered(FieldType::list, R"({a,"b,c"})"), R"(["a","b,c"])");
    EXPECT_EQ(rendered(FieldType::list, "{1,2}", FieldType::integer), "[1,2]");
    EXPECT_EQ(rendered(FieldType::list, "{}"), "[]");
}

}  // namespace
}  // namespace integreat::collections
