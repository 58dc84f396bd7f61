// SPDX-License-Identifier: Apache-2.0
// The visitor that turns a struct (fields.h) into a description of its keys with the values it has. From a
// fresh struct come the JSON Schema that editors complete from and the tables of the manual, from a filled
// one what is in force.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/fwd.hpp>

#include "json/binding/fields.h"
#include "json/binding/units.h"

namespace integreat::json {

struct Field {
    enum class Type { text, secret, boolean, number, bytes, duration, group, list, named };

    std::string name;
    std::string sentence;
    Type type = Type::group;
    Rules rules;
    bool has_value = true;       // False for an optional group that is absent.
    std::string value;           // Of a scalar, as text; empty for a secret that is not set.
    std::vector<Field> members;  // Of a group.
    std::vector<Field> element;  // Of a list or a named: one field, with the defaults of a new element.
    std::vector<Field> items;    // Of a list or a named: those it has; `name` is the key of a named's.
};

template <class T>
Field describe(T& value, const Rules& rules = {});

class Describer {
public:
    explicit Describer(std::vector<Field>& members) : members_(members) {}

    template <class T>
    void operator()(std::string_view name, T& member, std::string_view sentence, const Rules& rules = {}) {
        add(name, sentence, describe(member, rules));
    }

    template <class T>
    void named(std::string_view name, std::vector<T>& list, std::string T::*key, std::string_view sentence,
               const Rules& rules = {}) {
        Field field = describe(list, rules);
        field.type = Field::Type::named;
        for (std::size_t i = 0; i < list.size(); ++i)
            field.items[i].name = list[i].*key;
        add(name, sentence, std::move(field));
    }

private:
    void add(std::string_view name, std::string_view sentence, Field field) {
        field.name = name;
        field.sentence = sentence;
        members_.push_back(std::move(field));
    }

    std::vector<Field>& members_;
};

template <class T>
Field describe_list(std::vector<T>& list, const Rules& rules) {
    Field field{.type = Field::Type::list, .rules = rules};
    T fresh{};
    field.element.push_back(describe(fresh, rules));
    for (T& item : list)
        field.items.push_back(describe(item, rules));
    return field;
}

template <class T>
Field describe_optional(std::optional<T>& value, const Rules& rules) {
    T fresh{};
    Field field = describe(value ? *value : fresh, rules);
    field.has_value = value.has_value();
    return field;
}

// An overload per type that is not a scalar of its own.
template <class T>
Field describe_composite(std::vector<T>& list, const Rules& rules) {
    return describe_list(list, rules);
}
template <class T>
Field describe_composite(std::optional<T>& value, const Rules& rules) {
    return describe_optional(value, rules);
}
template <shape::Group T>
Field describe_composite(T& group, const Rules& rules) {
    Field field{.type = Field::Type::group, .rules = rules};
    Describer describer(field.members);
    fields(describer, group);
    return field;
}

template <class T>
Field describe(T& value, const Rules& rules) {
    using Type = Field::Type;
    if constexpr (std::same_as<T, std::string>) {
        return {.type = Type::text, .rules = rules, .value = value};
    } else if constexpr (shape::Identifier<T>) {
        return {.type = Type::text, .rules = rules, .value = value.text};
    } else if constexpr (std::same_as<T, Secret>) {
        return {.type = Type::secret, .rules = rules, .value = value.empty() ? "" : "(set)"};
    } else if constexpr (std::same_as<T, bool>) {
        return {.type = Type::boolean, .rules = rules, .value = value ? "true" : "false"};
    } else if constexpr (shape::Integer<T>) {
        auto number = static_cast<std::int64_t>(value);
        if (rules.bytes) return {.type = Type::bytes, .rules = rules, .value = format_bytes(number)};
        return {.type = Type::number, .rules = rules, .value = std::to_string(number)};
    } else if constexpr (shape::Duration<T>) {
        return {.type = Type::duration, .rules = rules, .value = format_duration(in_ms(value))};
    } else {
        return describe_composite(value, rules);
    }
}

// JSON Schema 2020-12.
boost::json::object schema_of(const Field& root, std::string_view title);

// A table per group, in Markdown; `path` is the heading of the root, whose level is two.
std::string manual_of(const Field& root, std::string_view path);

// YAML of every value in force; secrets show only that they are set.
std::string yaml_of(const Field& root);

// A text as YAML that reads back as the same text.
std::string yaml_text(std::string_view text);

}  // namespace integreat::json
