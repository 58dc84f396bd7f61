// SPDX-License-Identifier: Apache-2.0
#include "config/checks/check_fields.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/text/closest_match.h"
#include "base/text/find_by_name.h"
#include "config/collections/literals.h"
#include "config/collections/reference_paths.h"
#include "config/expression/expression.h"
#include "config/model/model_from_settings.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

// Query parameters of lists, which cannot be field names: `?limit=20` would be ambiguous.
constexpr std::array<std::string_view, 9> reserved_parameters{"q",      "sort",   "limit", "next",  "fields",
                                                              "expand", "select", "group", "cursor"};
constexpr std::array<std::string_view, 7> reserved_columns{"tableoid", "xmin", "cmin",      "xmax",
                                                           "cmax",     "ctid", "deleted_at"};

struct FieldCheck {
    const CollectionCheck& collection;
    const FieldSettings& field;
    std::string pointer;  // "/fields/name"

    void report(std::string_view key, std::string message) const {
        collection.report(json::append_pointer(pointer, key), std::move(message));
    }
    bool is(std::initializer_list<std::string_view> types) const {
        return std::find(types.begin(), types.end(), field.type) != types.end();
    }
};

void check_name(const FieldCheck& check) {
    const auto& name = check.field.name;
    auto report = [&](std::string_view reason) {
        check.collection.report(
            check.pointer, "a field cannot have the name " + json::quoted(name) + ": " + std::string(reason));
    };
    if (is_system_field(name)) return report("it is a system field of every record");
    if (contains(reserved_parameters, name)) return report("it is a query parameter of lists");
    if (contains(reserved_columns, name)) return report("it is a system column of the database");
}

// Reports keys that do not apply to the type of the field.
void check_keys(const FieldCheck& check) {
    const auto& field = check.field;
    struct Key {
        std::string_view name;
        bool present;
        std::initializer_list<std::string_view> types;
    };
    bool choices = field.type == "list" && field.of == "enum";
    const Key keys[] = {{"min_length", field.min_length.has_value(), {"text"}},
                        {"max_length", field.max_length.has_value(), {"text"}},
                        {"pattern", !field.pattern.empty(), {"text"}},
                        {"min", !field.min.empty(), {"integer", "decimal", "money", "date"}},
                        {"max", !field.max.empty(), {"integer", "decimal", "money", "date"}},
                        {"precision", field.precision.has_value(), {"decimal"}},
                        {"scale", field.scale.has_value(), {"decimal"}},
                        {"currency", !field.currency.empty(), {"money"}},
                        {"values", !field.values.empty() && !choices, {"enum"}},
                        {"to", !field.to.empty(), {"reference"}},
                        {"on_delete", !field.on_delete.empty(), {"reference"}},
                        {"of", !field.of.empty(), {"list"}},
                        {"max_items", field.max_items.has_value(), {"list"}},
                        {"max_bytes", field.max_bytes.has_value(), {"json"}}};
    for (const auto& key : keys) {
        if (!key.present || check.is(key.types)) continue;
        std::string types;
        for (auto type : key.types)
            types += (types.empty() ? "" : ", ") + std::string(type);
        check.report(key.name,
                     std::string(key.name) + " applies to type " + types + " only, not to " + field.type);
    }
}

void check_type(const FieldCheck& check) {
    const auto& field = check.field;
    if (field.type == "reference") {
        std::vector<std::string> names;
        for (const auto& collection : check.collection.manifest.collections)
            names.push_back(collection.name);
        if (field.to.empty()) {
            check.report("type", "a reference needs its collection: to: students");
        } else if (!find_collection(check.collection.manifest.collections, field.to)) {
            check.report("to",
                         "unknown collection " + json::quoted(field.to) + did_you_mean(field.to, names));
        }
        if (field.on_delete == "clear" && (field.required || field.immutable)) {
            check.report("on_delete", std::string("on_delete cannot clear a field that is ") +
                                          (field.required ? "required" : "immutable"));
        }
    }
    if (field.type == "list" && field.of.empty())
        check.report("type", "a list needs the type of its items: of: text");
    bool choices = field.type == "enum" || (field.type == "list" && field.of == "enum");
    bool written = json::find(check.collection.document.tree,
                              check.collection.pointer + check.pointer + "/values") != nullptr;
    if (choices && field.values.empty() && !written)
        check.report("type", "an enum needs values: values: [cash, gcash]");
    if (field.type == "decimal" && field.precision && *field.precision < decimal_scale(field)) {
        check.report("precision", "precision includes the digits after the point: it must be at least " +
                                      std::to_string(decimal_scale(field)));
    }
    if (!field.pattern.empty()) {
        if (auto error = check_pattern(field.pattern)) check.report("pattern", "pattern " + *error);
    }
    if (field.type == "text" && field.min_length.value_or(0) > field.max_length.value_or(default_text_length))
        check.report("min_length", "min_length is greater than max_length (" +
                                       std::to_string(field.max_length.value_or(default_text_length)) + ")");
}

void check_bounds(const FieldCheck& check) {
    const auto& field = check.field;
    if (!check.is({"integer", "decimal", "money", "date"})) return;
    auto is_valid_bound = [&](std::string_view key, const std::string& text) {
        if (text.empty()) return false;
        auto error = check_bound(field, text);
        if (error) {
            check.report(key, std::string(key) + " " + *error + ", not " + json::quoted(text));
        }
        return !error;
    };
    bool has_min = is_valid_bound("min", field.min);
    bool has_max = is_valid_bound("max", field.max);
    std::string minimum = has_min ? field.min : field.type == "money" && field.min.empty() ? "0" : "";
    if (!has_max || minimum.empty()) return;
    bool crossed = field.type == "date" ? field.max < minimum : compare_decimals(field.max, minimum) < 0;
    if (crossed) check.report("max", "max is less than min (" + minimum + ")");
}

bool allows_literal_default(const FieldCheck& check) {
    return check.is({"text", "integer", "decimal", "money", "boolean", "date", "enum"});
}

void check_default(const FieldCheck& check) {
    const auto& field = check.field;
    const auto& text = field.default_value;
    if (text.empty()) return;
    std::string_view word = field.type == "user"        ? "caller"
                            : field.type == "timestamp" ? "now"
                            : field.type == "date"      ? "today"
                                                        : "";
    if (!word.empty() && text == word) return;
    if (!allows_literal_default(check)) {
        check.report("default", word.empty() ? "a field of type " + field.type + " cannot have a default"
                                             : "the default of a " + field.type + " can only be " +
                                                   std::string(word) + ", not " + json::quoted(text));
        return;
    }
    auto error = check_literal(field, text);
    if (error) check.report("default", "default " + *error + ", not " + json::quoted(text));
}

void check_example(const FieldCheck& check) {
    if (check.field.example.empty()) return;
    bool scalar = allows_literal_default(check) || check.is({"email", "phone", "timestamp"});
    if (!scalar) {
        check.report("example", "examples of type " + check.field.type + " are generated: remove example");
        return;
    }
    auto error = check_literal(check.field, check.field.example);
    if (error) check.report("example", "example " + *error + ", not " + json::quoted(check.field.example));
}

void check_index(const FieldCheck& check) {
    const auto& field = check.field;
    for (auto [key, is_set] : {std::pair{"unique", field.unique}, std::pair{"indexed", field.indexed}}) {
        if (!is_set) continue;
        if (check.is({"address", "file", "json"}) || (field.type == "list" && field.unique)) {
            check.report(key, "a field of type " + field.type + " cannot be " + key);
        } else if (field.type == "text" && field.max_length.value_or(0) > max_indexed_length) {
            check.report(key, std::string("a text longer than ") + std::to_string(max_indexed_length) +
                                  " characters cannot be " + key);
        }
    }
}

// Resolves the computed value, if any, and adds it to `compiled`.
void check_computed(const FieldCheck& check, Field& compiled) {
    const auto& field = check.field;
    if (field.computed.empty()) return;
    for (auto [key, is_set] :
         {std::pair{"required", field.required}, std::pair{"immutable", field.immutable},
          std::pair{"default", !field.default_value.empty()}, std::pair{"unique", field.unique}}) {
        if (is_set) check.report(key, std::string("a computed field cannot be written: remove ") + key);
    }
    for (auto [key, is_set] : {std::pair{"min", !field.min.empty()}, std::pair{"max", !field.max.empty()}}) {
        if (is_set) check.report(key, std::string("a computed field has no bounds: remove ") + key);
    }
    const auto& collection = check.collection.collection;
    CheckResult error;
    if (is_rollup(field.computed)) {
        auto resolved = resolve_rollup(field, collection, check.collection.manifest.collections);
        error = std::move(resolved.error);
        if (!error) compiled.rollup = std::move(resolved.rollup);
    } else {
        auto expression = compile_computed(collection, field);
        error = std::move(expression.error);
        compiled.generated_sql = std::move(expression.sql);
    }
    if (error) check.report("computed", "computed " + *error);
}

}  // namespace

void check_fields(const CollectionCheck& collection) {
    auto& fields = collection.compiled.fields;
    fields.push_back(make_system_field("id", FieldType::id));
    if (const auto& states = collection.collection.states) {
        fields.push_back(make_system_field("state", FieldType::enumeration));
        fields.back().values = states->names;
    }
    for (const auto& field : collection.collection.fields) {
        FieldCheck check{collection, field, json::append_pointer("/fields", field.name)};
        check_name(check);
        if (field.type.empty()) continue;  // Already reported; other errors would be consequences.
        check_keys(check);
        check_type(check);
        check_bounds(check);
        check_default(check);
        check_example(check);
        check_index(check);
        auto compiled = field_from_settings(field);
        check_computed(check, compiled);
        fields.push_back(std::move(compiled));
    }
    fields.push_back(make_system_field("created_at", FieldType::timestamp));
    fields.push_back(make_system_field("created_by", FieldType::user));
    fields.push_back(make_system_field("updated_at", FieldType::timestamp));
    fields.push_back(make_system_field("version", FieldType::integer));
}

}  // namespace integreat::config
