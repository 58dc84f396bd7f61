// SPDX-License-Identifier: Apache-2.0
// A visitor that describes the keys of a struct (fields.h) with their current values. A default-constructed
// struct yields the JSON Schema for editors and the tables of the manual, a filled one the values in force.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/binding/fields.h"
#include "json/binding/units.h"

namespace integreat::json {

struct Field {
    enum class Type { text, secret, boolean, number, bytes, duration, group, list, map };

    std::string name;
    std::string description;
    Type type = Type::group;
    Rules rules;
    bool has_value = true;       // False for an optional group that is absent.
    std::string value;           // A scalar as text; empty for a secret that is not set.
    std::vector<Field> members;  // Members of a group.
    std::vector<Field> element;  // For a list or a map: one field, with the defaults of a new element.
    std::vector<Field> items;    // For a list or a map: its elements; `name` is the key in a map.
};

template <class T>
Field describe(T& value, const Rules& rules = {});

class Describer {
public:
    explicit Describer(std::vector<Field>& members) : members_(members) {}

    template <class T>
    void operator()(std::string_view name, T& member, std::string_view description, const Rules& rules = {}) {
        add(name, description, describe(member, rules));
    }

    template <class T>
    void map_of(std::string_view name, std::vector<T>& list, std::string T::*key,
                std::string_view description, const Rules& rules = {}) {
        Field field = describe(list, rules);
        field.type = Field::Type::map;
        for (std::size_t i = 0; i < list.size(); ++i)
            field.items[i].name = list[i].*key;
        add(name, description, std::move(field));
    }

private:
    void add(std::string_view name, std::string_view description, Field field) {
        field.name = name;
        field.description = description;
        members_.push_back(std::move(field));
    }

    std::vector<Field>& members_;
};

template <class T>
Field describe_list(std::vector<T>& list, const Rules& rules) {
    Field field{.type = Field::Type::list, .rules = rules};
    T defaults{};
    field.element.push_back(describe(defaults, rules));
    for (T& item : list)
        field.items.push_back(describe(item, rules));
    return field;
}

template <class T>
Field describe_optional(std::optional<T>& value, const Rules& rules) {
    T defaults{};
    Field field = describe(value ? *value : defaults, rules);
    field.has_value = value.has_value();
    return field;
}

// Overloads for types that are not scalars.
template <class T>
Field describe_composite(std::vector<T>& list, const Rules& rules) {
    return describe_list(list, rules);
}
template <class T>
Field describe_composite(std::optional<T>& value, const Rules& rules) {
    return describe_optional(value, rules);
}
template <concepts::Group T>
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
    } else if constexpr (concepts::Identifier<T>) {
        return {.type = Type::text, .rules = rules, .value = value.text};
    } else if constexpr (std::same_as<T, Secret>) {
        return {.type = Type::secret, .rules = rules, .value = value.empty() ? "" : "(set)"};
    } else if constexpr (std::same_as<T, bool>) {
        return {.type = Type::boolean, .rules = rules, .value = value ? "true" : "false"};
    } else if constexpr (concepts::Integer<T>) {
        auto number = static_cast<std::int64_t>(value);
        if (rules.bytes) return {.type = Type::bytes, .rules = rules, .value = format_bytes(number)};
        return {.type = Type::number, .rules = rules, .value = std::to_string(number)};
    } else if constexpr (concepts::Duration<T>) {
        return {.type = Type::duration, .rules = rules, .value = format_duration(to_ms(value))};
    } else {
        return describe_composite(value, rules);
    }
}

}  // namespace integreat::json
