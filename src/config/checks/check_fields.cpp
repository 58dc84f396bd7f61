// SPDX-License-Identifier: Apache-2.0
// The fields of a collection: what each type may say, values that must fit, what is computed.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>

#include "base/text/closest_match.h"
#include "config/checks/check_collections.h"
#include "config/collections/literals.h"
#include "config/collections/reference_paths.h"
#include "config/expression/expression.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

// Parameters of lists: `?limit=20` could not mean a field as well.
constexpr std::array<std::string_view, 9> parameters{"q",      "sort",   "limit", "next",  "fields",
                                                     "expand", "select", "group", "cursor"};
constexpr std::array<std::string_view, 7> columns_of_postgres{"tableoid", "xmin", "cmin",      "xmax",
                                                              "cmax",     "ctid", "deleted_at"};

struct FieldCheck {
    const CollectionCheck& collection;
    const FieldSettings& field;
    std::string below;  // "/fields/name"

    void complain(std::string_view key, std::string message) const {
        collection.complain(json::below(below, key), std::move(message));
    }
    bool is(std::initializer_list<std::string_view> types) const {
        return std::find(types.begin(), types.end(), field.type) != types.end();
    }
};

void check_name(const FieldCheck& check) {
    const auto& name = check.field.name;
    auto complain = [&](std::string_view why) {
        check.collection.complain(check.below,
                                  "a field cannot be called " + json::quoted(name) + ": " + std::string(why));
    };
    if (is_system_field(name)) return complain("every record has it by itself");
    if (std::find(parameters.begin(), parameters.end(), name) != parameters.end())
        return complain("lists have a parameter of that name");
    if (std::find(columns_of_postgres.begin(), columns_of_postgres.end(), name) != columns_of_postgres.end())
        return complain("the database has a column of that name");
}

// Keys that say something of some types only.
void check_keys(const FieldCheck& check) {
    const auto& field = check.field;
    struct Key {
        std::string_view name;
        bool written;
        std::initializer_list<std::string_view> types;
    };
    bool choices = field.type == "list" && field.of == "enum";
    const Key keys[] = {{"length_min", field.length_min.has_value(), {"text"}},
                        {"length_max", field.length_max.has_value(), {"text"}},
                        {"pattern", !field.pattern.empty(), {"text"}},
                        {"least", !field.least.empty(), {"integer", "decimal", "money", "date"}},
                        {"most", !field.most.empty(), {"integer", "decimal", "money", "date"}},
                        {"digits", field.digits.has_value(), {"decimal"}},
                        {"scale", field.scale.has_value(), {"decimal"}},
                        {"currency", !field.currency.empty(), {"money"}},
                        {"values", !field.values.empty() && !choices, {"enum"}},
                        {"to", !field.to.empty(), {"reference"}},
                        {"on_delete", !field.on_delete.empty(), {"reference"}},
                        {"of", !field.of.empty(), {"list"}},
                        {"items_max", field.items_max.has_value(), {"list"}},
                        {"bytes_max", field.bytes_max.has_value(), {"json"}}};
    for (const auto& key : keys) {
        if (!key.written || check.is(key.types)) continue;
        std::string types;
        for (auto type : key.types)
            types += (types.empty() ? "" : ", ") + std::string(type);
        check.complain(key.name,
                       std::string(key.name) + " says something of type " + types + ", not of " + field.type);
    }
}

void check_type(const FieldCheck& check) {
    const auto& field = check.field;
    if (field.type == "reference") {
        std::vector<std::string> names;
        for (const auto& collection : check.collection.manifest.collections)
            names.push_back(collection.name);
        if (field.to.empty()) {
            check.complain("type", "a reference must say to which collection: to: students");
        } else if (!find_collection(check.collection.manifest.collections, field.to)) {
            check.complain("to",
                           "unknown collection " + json::quoted(field.to) + did_you_mean(field.to, names));
        }
        if (field.on_delete == "clear" && (field.required || field.immutable)) {
            check.complain("on_delete", std::string("on_delete cannot clear a field that is ") +
                                            (field.required ? "required" : "immutable"));
        }
    }
    if (field.type == "list" && field.of.empty())
        check.complain("type", "a list must say what its items are: of: text");
    bool choices = field.type == "enum" || (field.type == "list" && field.of == "enum");
    bool written = json::find(check.collection.document.tree,
                              check.collection.pointer + check.below + "/values") != nullptr;
    if (choices && field.values.empty() && !written)
        check.complain("type", "an enum must say its values: values: [cash, gcash]");
    if (field.type == "decimal" && field.digits &&
        *field.digits < field.scale.value_or(decimal_scale_default)) {
        check.complain("digits", "digits counts those behind the point too: at least " +
                                     std::to_string(field.scale.value_or(decimal_scale_default)));
    }
    if (!field.pattern.empty()) {
        if (auto complaint = check_pattern(field.pattern)) check.complain("pattern", "pattern " + *complaint);
    }
    if (field.type == "text" && field.length_min.value_or(0) > field.length_max.value_or(text_length_default))
        check.complain("length_min", "length_min is more than length_max (" +
                                         std::to_string(field.length_max.value_or(text_length_default)) +
                                         ")");
}

void check_bounds(const FieldCheck& check) {
    const auto& field = check.field;
    if (!check.is({"integer", "decimal", "money", "date"})) return;
    auto sound = [&](std::string_view key, const std::string& text) {
        if (text.empty()) return false;
        auto complaint = check_bound(field, text);
        if (complaint) {
            check.complain(key, std::string(key) + " " + *complaint + ", not " + json::quoted(text));
        }
        return !complaint;
    };
    bool least = sound("least", field.least);
    bool most = sound("most", field.most);
    std::string floor = least ? field.least : field.type == "money" && field.least.empty() ? "0" : "";
    if (!most || floor.empty()) return;
    bool crossed = field.type == "date" ? field.most < floor : compare_decimals(field.most, floor) < 0;
    if (crossed) check.complain("most", "most is less than least (" + floor + ")");
}

bool has_default(const FieldCheck& check) {
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
    if (!has_default(check)) {
        check.complain("default", word.empty() ? "a field of type " + field.type + " takes no default"
                                               : "default of a " + field.type + " can only be " +
                                                     std::string(word) + ", not " + json::quoted(text));
        return;
    }
    auto complaint = check_literal(field, text);
    if (complaint) check.complain("default", "default " + *complaint + ", not " + json::quoted(text));
}

void check_example(const FieldCheck& check) {
    if (check.field.example.empty()) return;
    bool scalar = has_default(check) || check.is({"email", "phone", "timestamp"});
    if (!scalar) {
        check.complain("example",
                       "an example of type " + check.field.type + " is made by itself: leave it out");
        return;
    }
    auto complaint = check_literal(check.field, check.field.example);
    if (complaint)
        check.complain("example", "example " + *complaint + ", not " + json::quoted(check.field.example));
}

void check_index(const FieldCheck& check) {
    const auto& field = check.field;
    for (auto [key, wanted] : {std::pair{"unique", field.unique}, std::pair{"indexed", field.indexed}}) {
        if (!wanted) continue;
        if (check.is({"address", "file", "json"}) || (field.type == "list" && field.unique)) {
            check.complain(key, "a field of type " + field.type + " cannot be " + key);
        } else if (field.type == "text" && field.length_max.value_or(0) > index_length_max) {
            check.complain(key, std::string("a text longer than ") + std::to_string(index_length_max) +
                                    " characters cannot be " + key);
        }
    }
}

void check_computed(const FieldCheck& check) {
    const auto& field = check.field;
    if (field.computed.empty()) return;
    for (auto [key, written] :
         {std::pair{"required", field.required}, std::pair{"immutable", field.immutable},
          std::pair{"default", !field.default_value.empty()}, std::pair{"unique", field.unique}}) {
        if (written) check.complain(key, std::string("a computed field cannot be written: leave out ") + key);
    }
    for (auto [key, written] :
         {std::pair{"least", !field.least.empty()}, std::pair{"most", !field.most.empty()}}) {
        if (written) check.complain(key, std::string("a computed field is what it is: leave out ") + key);
    }
    auto complaint =
        is_rollup(field.computed)
            ? resolve_rollup(field, check.collection.collection, check.collection.manifest.collections)
                  .complaint
            : compile_computed(check.collection.collection, field).complaint;
    if (complaint) check.complain("computed", "computed " + *complaint);
}

}  // namespace

void check_fields(const CollectionCheck& collection) {
    for (const auto& field : collection.collection.fields) {
        FieldCheck check{collection, field, json::below("/fields", field.name)};
        check_name(check);
        if (field.type.empty()) continue;  // That is the mistake; what depends on it would be noise.
        check_keys(check);
        check_type(check);
        check_bounds(check);
        check_default(check);
        check_example(check);
        check_index(check);
        check_computed(check);
    }
}

}  // namespace integreat::config
