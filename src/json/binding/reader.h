// SPDX-License-Identifier: Apache-2.0
// A visitor that fills a struct from a document (fields.h): types, ranges, closed sets, required and unknown
// keys, references to the environment. It reports every error with its location and a suggestion, and never
// repeats a secret. A member with an error keeps its default.
#pragma once

#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/fwd.hpp>

#include "json/binding/fields.h"
#include "json/document/node.h"

namespace integreat::json {

// Returns the value of the variable in a reference "env:NAME". If empty, references are errors.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// A key that has been renamed. The old one is refused with the new one in the message.
struct RenamedKey {
    std::string_view from;
    std::string_view to;
};

struct ReadContext {
    const Environment* environment = nullptr;
    std::span<const RenamedKey> renamed_keys{};  // Consulted for unknown keys.
    std::vector<ValidationError> errors;         // At most errors_max, in the order of detection.
};

// The node being read: its JSON pointer (RFC 6901) and its name in error messages.
struct FieldLocation {
    const Node& node;
    std::string pointer;
    std::string name;
};

void report(ReadContext& context, const FieldLocation& field, std::string message);

// Reads a scalar and checks its rules. Returns nullopt after reporting an error.
std::optional<std::string> read_text(ReadContext& context, const FieldLocation& field, const Rules& rules);
std::optional<Secret> read_secret(ReadContext& context, const FieldLocation& field, const Rules& rules);
std::optional<bool> read_boolean(ReadContext& context, const FieldLocation& field);
std::optional<std::int64_t> read_integer(ReadContext& context, const FieldLocation& field, const Rules& rules,
                                         std::int64_t type_minimum, std::int64_t type_maximum);
// Reads a duration in milliseconds; it must be a multiple of `unit_ms`.
std::optional<std::int64_t> read_duration(ReadContext& context, const FieldLocation& field,
                                          const Rules& rules, std::int64_t unit_ms);
// Returns whether the node is a list (a map) of a permitted length; reports an error if not.
bool is_list(ReadContext& context, const FieldLocation& field, const Rules& rules);
bool is_map(ReadContext& context, const FieldLocation& field, const Rules& rules);
void check_key(ReadContext& context, const FieldLocation& map, const Member& member, const Rules& rules);
void report_duplicates(ReadContext& context, const FieldLocation& list);

template <class T>
void read_into(ReadContext& context, const FieldLocation& field, T& value, const Rules& rules = {});

class Reader {
public:
    Reader(ReadContext& context, const FieldLocation& map) : context_(context), map_(map) {}

    template <class T>
    void operator()(std::string_view name, T& member, std::string_view, const Rules& rules = {}) {
        if (auto field = find(name, rules)) read_into(context_, *field, member, rules);
    }

    // Reads a map from name to struct into a list of structs; `key` is the member that stores the name.
    template <class T>
    void map_of(std::string_view name, std::vector<T>& list, std::string T::*key, std::string_view,
                const Rules& rules = {}) {
        auto field = find(name, rules);
        if (!field || !is_map(context_, *field, rules)) return;
        list.clear();
        for (const auto& member : field->node.members) {
            check_key(context_, *field, member, rules);
            T& item = list.emplace_back();
            item.*key = member.key;
            FieldLocation inner{member.value, append_pointer(field->pointer, member.key), member.key};
            read_into(context_, inner, item);
        }
    }

    // Reports the keys of the map that are not fields of the struct.
    void report_unknown_keys();

private:
    // Returns the suffix of the message about an unknown key: its new name, or a similar key.
    std::string hint_for(const std::string& unknown_key) const;
    // Returns the node of a key. If it is absent or null, reports that and returns nullopt.
    std::optional<FieldLocation> find(std::string_view name, const Rules& rules);

    ReadContext& context_;
    const FieldLocation& map_;
    std::vector<std::string> known_;
};

template <class T>
void read_list(ReadContext& context, const FieldLocation& field, std::vector<T>& list, const Rules& rules) {
    if (!is_list(context, field, rules)) return;
    list.clear();
    for (std::size_t i = 0; i < field.node.items.size(); ++i) {
        FieldLocation item{field.node.items[i], append_pointer(field.pointer, i), field.name};
        read_into(context, item, list.emplace_back(), rules);
    }
    if constexpr (!concepts::Group<T>) report_duplicates(context, field);
}

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
void read_into(ReadContext& context, const FieldLocation& field, T& value, const Rules& rules) {
    if constexpr (std::same_as<T, std::string>) {
        if (auto text = read_text(context, field, rules)) value = std::move(*text);
    } else if constexpr (concepts::Identifier<T>) {
        if (auto text = read_text(context, field, rules)) value.text = std::move(*text);
    } else if constexpr (std::same_as<T, Secret>) {
        if (auto secret = read_secret(context, field, rules)) value = std::move(*secret);
    } else if constexpr (std::same_as<T, bool>) {
        if (auto boolean = read_boolean(context, field)) value = *boolean;
    } else if constexpr (concepts::Integer<T>) {
        using Bounds = std::numeric_limits<T>;
        constexpr auto maximum =
            std::min<std::uint64_t>(Bounds::max(), std::numeric_limits<std::int64_t>::max());
        auto number = read_integer(context, field, rules, Bounds::min(), static_cast<std::int64_t>(maximum));
        if (number) value = static_cast<T>(*number);
    } else if constexpr (concepts::Duration<T>) {
        constexpr std::int64_t unit_ms = to_ms(T(1));
        auto length_ms = read_duration(context, field, rules, unit_ms);
        if (length_ms) value = T(static_cast<typename T::rep>(*length_ms / unit_ms));
    } else if constexpr (is_vector<T>) {
        read_list(context, field, value, rules);
    } else if constexpr (is_optional<T>) {
        read_into(context, field, value.emplace(), rules);
    } else {
        static_assert(concepts::Group<T>,
                      "a member of a type that cannot be read: give it a fields function");
        if (!is_map(context, field, {.may_be_empty = true, .max_items = 1'000})) return;
        Reader reader(context, field);
        fields(reader, value);
        reader.report_unknown_keys();
    }
}

// Fills `value` from a document and returns the errors.
template <class T>
std::vector<ValidationError> read(const Node& root, T& value, const Environment& environment = nullptr,
                                  std::span<const RenamedKey> renamed_keys = {}) {
    ReadContext context{.environment = environment ? &environment : nullptr, .renamed_keys = renamed_keys};
    read_into(context, FieldLocation{root, "", "the document"}, value);
    return std::move(context.errors);
}

// Fills `value` from a request body. The errors have pointers and no locations.
template <class T>
std::vector<ValidationError> read(const boost::json::value& body, T& value) {
    Node root = to_node(body);
    return read(root, value);
}

}  // namespace integreat::json
