// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/schema.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <boost/json.hpp>

#include "base/text/closest_match.h"
#include "json/value/parse.h"

namespace integreat::gateway {

namespace {

namespace bj = boost::json;

constexpr std::size_t mistakes_max = 50;
constexpr std::array annotations{"title",  "description", "examples",  "default",
                                 "format", "$schema",     "deprecated"};

Error wrong(std::string why) {
    return {Fault::invalid, "its schema " + std::move(why), ""};
}

Result<Schema> compile(const bj::value& value);

Result<std::vector<std::string>> texts(const bj::value& value, std::string_view keyword) {
    std::vector<std::string> found;
    if (value.is_string()) return std::vector{std::string(value.get_string())};
    if (!value.is_array()) return wrong("has a malformed \"" + std::string(keyword) + "\"");
    for (const auto& item : value.get_array()) {
        if (!item.is_string()) return wrong("has a malformed \"" + std::string(keyword) + "\"");
        found.emplace_back(item.get_string());
    }
    return found;
}

Result<double> number(const bj::value& value, std::string_view keyword) {
    boost::system::error_code failure;
    auto result = value.to_number<double>(failure);
    if (failure) return wrong("needs a number for \"" + std::string(keyword) + "\"");
    return result;
}

Result<> compile_properties(Schema& schema, const bj::value& value) {
    if (!value.is_object()) return wrong("needs an object for \"properties\"");
    for (const auto& [name, property] : value.get_object()) {
        schema.properties.emplace(std::string(name), TRY(compile(property)));
    }
    return {};
}

Result<> compile_bound(Schema& schema, std::string_view keyword, const bj::value& value) {
    double bound = TRY(number(value, keyword));
    auto size = static_cast<std::size_t>(std::max(bound, 0.0));
    if (keyword == "minimum") schema.minimum = bound;
    if (keyword == "maximum") schema.maximum = bound;
    if (keyword == "minItems") schema.items_min = size;
    if (keyword == "maxItems") schema.items_max = size;
    if (keyword == "minLength") schema.length_min = size;
    if (keyword == "maxLength") schema.length_max = size;
    return {};
}

Result<> compile_keyword(Schema& schema, std::string_view keyword, const bj::value& value) {
    static constexpr std::array bounds{"minimum",  "maximum",   "minItems",
                                       "maxItems", "minLength", "maxLength"};
    if (std::find(annotations.begin(), annotations.end(), keyword) != annotations.end()) return {};
    if (std::find(bounds.begin(), bounds.end(), keyword) != bounds.end()) {
        return compile_bound(schema, keyword, value);
    }
    if (keyword == "type") {
        schema.types = TRY(texts(value, keyword));
    } else if (keyword == "required") {
        auto names = TRY(texts(value, keyword));
        schema.required.insert(names.begin(), names.end());
    } else if (keyword == "properties") {
        TRY(compile_properties(schema, value));
    } else if (keyword == "items") {
        schema.items = std::make_shared<const Schema>(TRY(compile(value)));
    } else if (keyword == "enum" && value.is_array()) {
        schema.choices.assign(value.get_array().begin(), value.get_array().end());
    } else if (keyword == "const") {
        schema.choices.push_back(value);
    } else if (keyword == "additionalProperties" && value.is_bool()) {
        schema.closed = !value.get_bool();
    } else {
        return wrong("has the keyword \"" + std::string(keyword) + "\" in a form we do not check");
    }
    return {};
}

Result<Schema> compile(const bj::value& value) {
    if (!value.is_object()) return wrong("must be a JSON object");
    Schema schema;
    for (const auto& [keyword, argument] : value.get_object())
        TRY(compile_keyword(schema, keyword, argument));
    return schema;
}

bool is_of(std::string_view type, const bj::value& value) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "null") return value.is_null();
    if (type == "number") return value.is_number();
    if (type == "integer") {
        return value.is_int64() || value.is_uint64() ||
               (value.is_double() && std::trunc(value.get_double()) == value.get_double());
    }
    return false;
}

std::string list_of(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : " or ") + word;
    return text;
}

// A name as part of a JSON pointer (RFC 6901 section 3).
std::string pointer_part(std::string_view name) {
    std::string part = "/";
    for (char c : name) {
        if (c == '~') {
            part += "~0";
        } else if (c == '/') {
            part += "~1";
        } else {
            part += c;
        }
    }
    return part;
}

class Check {
public:
    std::vector<http::FieldError> mistakes;

    void value(const Schema& schema, const bj::value& value, const std::string& pointer) {
        auto fits = [&](const std::string& type) { return is_of(type, value); };
        if (!schema.types.empty() && std::none_of(schema.types.begin(), schema.types.end(), fits)) {
            return add(pointer, "must be " + list_of(schema.types));
        }
        const auto& choices = schema.choices;
        if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
            std::vector<std::string> words;
            for (const auto& choice : choices)
                words.push_back(bj::serialize(choice));
            add(pointer, "must be " + list_of(words));
        }
        if (const auto* string = value.if_string()) text(schema, *string, pointer);
        if (value.is_number()) number(schema, value.to_number<double>(), pointer);
        if (const auto* array = value.if_array()) items(schema, *array, pointer);
        if (const auto* object = value.if_object()) members(schema, *object, pointer);
    }

private:
    void add(const std::string& pointer, std::string detail) {
        if (mistakes.size() < mistakes_max) mistakes.push_back({pointer, std::move(detail)});
    }

    void text(const Schema& schema, std::string_view text, const std::string& pointer) {
        auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
        auto length = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts));
        if (schema.length_min && length < *schema.length_min) {
            add(pointer, "must have at least " + std::to_string(*schema.length_min) + " characters");
        }
        if (schema.length_max && length > *schema.length_max) {
            add(pointer, "must have at most " + std::to_string(*schema.length_max) + " characters");
        }
    }

    void number(const Schema& schema, double number, const std::string& pointer) {
        if (schema.minimum && number < *schema.minimum) {
            add(pointer, "must be at least " + bj::serialize(bj::value(*schema.minimum)));
        }
        if (schema.maximum && number > *schema.maximum) {
            add(pointer, "must be at most " + bj::serialize(bj::value(*schema.maximum)));
        }
    }

    void items(const Schema& schema, const bj::array& array, const std::string& pointer) {
        if (schema.items_min && array.size() < *schema.items_min) {
            add(pointer, "must have at least " + std::to_string(*schema.items_min) + " items");
        }
        if (schema.items_max && array.size() > *schema.items_max) {
            return add(pointer, "must have at most " + std::to_string(*schema.items_max) + " items");
        }
        if (!schema.items) return;
        for (std::size_t i = 0; i < array.size(); ++i) {
            value(*schema.items, array[i], pointer + "/" + std::to_string(i));
        }
    }

    void members(const Schema& schema, const bj::object& object, const std::string& pointer) {
        for (const auto& name : schema.required) {
            if (!object.contains(name)) add(pointer + pointer_part(name), "is required");
        }
        for (const auto& [name, member] : object) {
            auto property = schema.properties.find(std::string_view(name));
            if (property != schema.properties.end()) {
                value(property->second, member, pointer + pointer_part(name));
            } else if (schema.closed) {
                std::vector<std::string> known;
                for (const auto& [candidate, unused] : schema.properties)
                    known.push_back(candidate);
                add(pointer + pointer_part(name), "is not known here" + did_you_mean(name, known));
            }
        }
    }
};

}  // namespace

Result<Schema> compile_schema(std::string_view text) {
    auto value = json::parse(text);
    if (!value) return wrong("is not JSON: " + value.error().message);
    return compile(*value);
}

std::vector<http::FieldError> validate(const Schema& schema, const bj::value& value) {
    Check check;
    check.value(schema, value, "#");
    return std::move(check.mistakes);
}

}  // namespace integreat::gateway
