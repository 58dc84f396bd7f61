// SPDX-License-Identifier: Apache-2.0
// The visitor that fills a struct from a document (fields.h): types, ranges, closed sets, required and
// unknown keys, references to the environment. It reports every mistake there is, each with its place and
// with what was probably meant, and never repeats a secret. Where a mistake is, the member keeps its default.
#pragma once

#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/fwd.hpp>

#include "json/binding/fields.h"
#include "json/document/node.h"

namespace integreat::json {

// Looks up a variable that a document refers to as "env:NAME". Without one, references are mistakes.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

struct Reading {
    const Environment* environment = nullptr;
    std::vector<Mistake> mistakes;  // At most mistakes_max, in the order found.
};

// A value on its way into a member: which node, where it hangs, and what messages call it.
struct Spot {
    const Node& node;
    std::string pointer;
    std::string name;
};

void report(Reading& reading, const Spot& spot, std::string message);

// A scalar that meets its rules, or nothing after a report.
std::optional<std::string> read_text(Reading& reading, const Spot& spot, const Rules& rules);
std::optional<Secret> read_secret(Reading& reading, const Spot& spot, const Rules& rules);
std::optional<bool> read_boolean(Reading& reading, const Spot& spot);
std::optional<std::int64_t> read_integer(Reading& reading, const Spot& spot, const Rules& rules,
                                         std::int64_t type_least, std::int64_t type_most);
// In milliseconds; a multiple of `unit_ms`.
std::optional<std::int64_t> read_duration(Reading& reading, const Spot& spot, const Rules& rules,
                                          std::int64_t unit_ms);
// Is it a list (a map) of a permitted length?
bool is_list(Reading& reading, const Spot& spot, const Rules& rules);
bool is_map(Reading& reading, const Spot& spot, const Rules& rules);
void check_key(Reading& reading, const Spot& map, const Member& member, const Rules& rules);
void check_repetition(Reading& reading, const Spot& list);

template <class T>
void read_into(Reading& reading, const Spot& spot, T& value, const Rules& rules = {});

class Reader {
public:
    Reader(Reading& reading, const Spot& map) : reading_(reading), map_(map) {}

    template <class T>
    void operator()(std::string_view name, T& member, std::string_view, const Rules& rules = {}) {
        if (auto spot = take(name, rules)) read_into(reading_, *spot, member, rules);
    }

    // A map of name to struct, kept as a list of structs that know their names.
    template <class T>
    void named(std::string_view name, std::vector<T>& list, std::string T::*key, std::string_view,
               const Rules& rules = {}) {
        auto spot = take(name, rules);
        if (!spot || !is_map(reading_, *spot, rules)) return;
        list.clear();
        for (const auto& member : spot->node.members) {
            check_key(reading_, *spot, member, rules);
            T& item = list.emplace_back();
            item.*key = member.key;
            Spot inner{member.value, below(spot->pointer, member.key), member.key};
            read_into(reading_, inner, item);
        }
    }

    // Reports the keys of the map that no field has asked for.
    void refuse_unknown_keys();

private:
    // The node of a key, unless it is absent or empty; reports what is wrong with that.
    std::optional<Spot> take(std::string_view name, const Rules& rules);

    Reading& reading_;
    const Spot& map_;
    std::vector<std::string> known_;
};

template <class T>
void read_list(Reading& reading, const Spot& spot, std::vector<T>& list, const Rules& rules) {
    if (!is_list(reading, spot, rules)) return;
    list.clear();
    for (std::size_t i = 0; i < spot.node.items.size(); ++i) {
        Spot item{spot.node.items[i], below(spot.pointer, i), spot.name};
        read_into(reading, item, list.emplace_back(), rules);
    }
    if constexpr (!shape::Group<T>) check_repetition(reading, spot);
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
void read_into(Reading& reading, const Spot& spot, T& value, const Rules& rules) {
    if constexpr (std::same_as<T, std::string>) {
        if (auto text = read_text(reading, spot, rules)) value = std::move(*text);
    } else if constexpr (shape::Identifier<T>) {
        if (auto text = read_text(reading, spot, rules)) value.text = std::move(*text);
    } else if constexpr (std::same_as<T, Secret>) {
        if (auto secret = read_secret(reading, spot, rules)) value = std::move(*secret);
    } else if constexpr (std::same_as<T, bool>) {
        if (auto boolean = read_boolean(reading, spot)) value = *boolean;
    } else if constexpr (shape::Integer<T>) {
        using Bounds = std::numeric_limits<T>;
        constexpr auto most =
            std::min<std::uint64_t>(Bounds::max(), std::numeric_limits<std::int64_t>::max());
        auto number = read_integer(reading, spot, rules, Bounds::min(), static_cast<std::int64_t>(most));
        if (number) value = static_cast<T>(*number);
    } else if constexpr (shape::Duration<T>) {
        constexpr std::int64_t unit_ms = in_ms(T(1));
        auto length_ms = read_duration(reading, spot, rules, unit_ms);
        if (length_ms) value = T(static_cast<typename T::rep>(*length_ms / unit_ms));
    } else if constexpr (is_vector<T>) {
        read_list(reading, spot, value, rules);
    } else if constexpr (is_optional<T>) {
        read_into(reading, spot, value.emplace(), rules);
    } else {
        static_assert(shape::Group<T>, "a member of a type that cannot be read: give it a fields function");
        if (!is_map(reading, spot, {.may_be_empty = true, .items_max = 1'000})) return;
        Reader reader(reading, spot);
        fields(reader, value);
        reader.refuse_unknown_keys();
    }
}

// Fills `value` from a whole document.
template <class T>
std::vector<Mistake> read(const Node& root, T& value, const Environment& environment = nullptr) {
    Reading reading{.environment = environment ? &environment : nullptr};
    read_into(reading, Spot{root, "", "the document"}, value);
    return std::move(reading.mistakes);
}

// Fills `value` from the body of a request; the mistakes have pointers and no places.
template <class T>
std::vector<Mistake> read(const boost::json::value& body, T& value) {
    Node root = node_of(body);
    return read(root, value);
}

}  // namespace integreat::json
