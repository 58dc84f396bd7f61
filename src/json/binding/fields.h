// SPDX-License-Identifier: Apache-2.0
// A struct that people write as YAML or JSON says so in one function (style R24):
//
//     template <class Visitor>
//     void fields(Visitor& visit, ListenSettings& listen) {
//         visit("port", listen.port, "TCP port; 0 picks a free one.", {.least = 0, .most = 65'535});
//     }
//
// The reader (read.h), the schema, the manual and the display of values in force (describe.h) are visitors
// of it, so that a key cannot exist for one of them only. A default is what the struct has by itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/id.h"
#include "base/secret.h"

namespace integreat::json {

// A complaint about a text, "must be …", or nothing.
using Check = std::optional<std::string> (*)(std::string_view text);

// What a value must be besides being of its member's type.
struct Rules {
    bool required = false;
    std::optional<std::int64_t> least{};  // Of a number; of a duration in milliseconds; of a size in bytes.
    std::optional<std::int64_t> most{};
    bool bytes = false;                       // A number that counts bytes: "10MiB".
    std::vector<std::string_view> choices{};  // A closed set.
    bool may_be_empty = false;                // A text of no characters, a list of no items.
    std::size_t length_max = 500;             // Of a text, in bytes.
    std::size_t items_max = 100;              // Of a list or a map.
    Check check = nullptr;                    // Of a text, of each text in a list, of each key of a map.
    std::string_view pattern{};    // What `check` demands as ECMA 262 regular expression, for editors.
    bool reference = false;        // "env:NAME" and "env:NAME:default" stand for the variable's value.
    bool literal = false;          // A text that may be written as a number or a boolean: `default: 0`.
    bool is_default_shown = true;  // Off where the default means "derived", and the sentence tells.
};

constexpr std::int64_t in_ms(std::chrono::milliseconds duration) {
    return duration.count();
}

namespace shape {

struct AnyVisitor {
    template <class T>
    void operator()(std::string_view, T&, std::string_view, const Rules& = {}) {}
    template <class T>
    void named(std::string_view, std::vector<T>&, std::string T::*, std::string_view, const Rules& = {}) {}
};

template <class T>
concept Group = requires(AnyVisitor& visit, T& value) {
    fields(visit, value);
};

template <class T>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;

template <class T>
inline constexpr bool is_id = false;
template <class Tag>
inline constexpr bool is_id<Id<Tag>> = true;

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

template <class T>
concept Duration = is_duration<T>;

template <class T>
concept Identifier = is_id<T>;

}  // namespace shape

}  // namespace integreat::json
