// SPDX-License-Identifier: Apache-2.0
#include "json/binding/json_schema.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace integreat::json {

namespace {

using boost::json::array;
using boost::json::object;
using Type = Field::Type;

constexpr std::string_view duration_pattern = "^(0|[1-9][0-9]*)(ms|s|m|h|d)$";
constexpr std::string_view bytes_pattern = "^(0|[1-9][0-9]*)(B|kB|KiB|MB|MiB|GB|GiB)?$";
constexpr std::string_view reference_pattern = "^env:[A-Z_][A-Z0-9_]*$";

object field_schema(const Field& field);

object text_schema(const Rules& rules) {
    object schema{{"type", "string"}, {"maxLength", rules.max_length}};
    if (rules.literal) schema["type"] = array{"string", "number", "boolean"};
    if (!rules.may_be_empty) schema["minLength"] = 1;
    if (!rules.pattern.empty() && !rules.reference) schema["pattern"] = rules.pattern;
    if (rules.choices.empty()) return schema;
    array choices;
    for (auto choice : rules.choices)
        choices.emplace_back(choice);
    return {{"type", "string"}, {"enum", std::move(choices)}};
}

object number_schema(const Rules& rules) {
    object schema{{"type", "integer"}};
    if (rules.minimum) schema["minimum"] = *rules.minimum;
    if (rules.maximum) schema["maximum"] = *rules.maximum;
    return schema;
}

object bytes_schema(const Rules& rules) {
    object with_unit{{"type", "string"}, {"pattern", bytes_pattern}};
    return {{"anyOf", array{number_schema(rules), std::move(with_unit)}}};
}

object group_schema(const Field& field) {
    object properties;
    array required;
    for (const auto& member : field.members) {
        properties[member.name] = field_schema(member);
        if (member.rules.required) required.emplace_back(member.name);
    }
    object schema{{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
    if (!required.empty()) schema["required"] = std::move(required);
    return schema;
}

object list_schema(const Field& field) {
    const Field& element = field.element.front();
    object schema{{"type", "array"}, {"items", field_schema(element)}, {"maxItems", field.rules.max_items}};
    if (!field.rules.may_be_empty) schema["minItems"] = 1;
    if (element.type != Type::group) schema["uniqueItems"] = true;
    return schema;
}

object map_schema(const Field& field) {
    object schema{{"type", "object"},
                  {"additionalProperties", field_schema(field.element.front())},
                  {"maxProperties", field.rules.max_items}};
    if (!field.rules.may_be_empty) schema["minProperties"] = 1;
    if (!field.rules.pattern.empty()) schema["propertyNames"] = object{{"pattern", field.rules.pattern}};
    return schema;
}

object plain_schema(const Field& field) {
    switch (field.type) {
        case Type::text: return text_schema(field.rules);
        case Type::secret:
            return field.rules.reference ? object{{"type", "string"}, {"pattern", reference_pattern}}
                                         : text_schema(field.rules);
        case Type::boolean: return {{"type", "boolean"}};
        case Type::number: return number_schema(field.rules);
        case Type::bytes: return bytes_schema(field.rules);
        case Type::duration: return {{"type", "string"}, {"pattern", duration_pattern}};
        case Type::group: return group_schema(field);
        case Type::list: return list_schema(field);
        case Type::map: return map_schema(field);
    }
    return {};
}

void add_default(object& schema, const Field& field) {
    if (field.value.empty() || field.rules.required) return;
    if (field.type == Type::number) {
        schema["default"] = *parse_integer(field.value);
    } else if (field.type == Type::boolean) {
        schema["default"] = field.value == "true";
    } else {
        schema["default"] = field.value;
    }
}

object field_schema(const Field& field) {
    object schema = plain_schema(field);
    if (!field.description.empty()) schema["description"] = field.description;
    add_default(schema, field);
    return schema;
}

}  // namespace

object to_json_schema(const Field& root, std::string_view title) {
    object schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
    for (auto& [key, value] : field_schema(root))
        schema[key] = value;
    return schema;
}

}  // namespace integreat::json
