// SPDX-License-Identifier: Apache-2.0
// Binds a struct to YAML or JSON with one function (style R24):
//
//     template <class Visitor>
//     void fields(Visitor& visit, ListenSettings& listen) {
//         visit("port", listen.port, "TCP port; 0 picks a free one.", {.minimum = 0, .maximum = 65'535});
//     }
//
// The reader (reader.h), the JSON Schema, the manual and the display of current values (describe.h) are
// visitors of it, so that a key cannot exist for one of them only. Defaults are the struct's member
// initializers.
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

// Returns an error message for a text, "must be …", or nullopt.
using Check = std::optional<std::string> (*)(std::string_view text);

// Constraints on a value besides the type of its member.
struct Rules {
    bool required = false;
    std::optional<std::int64_t> minimum{};    // Numbers; durations in milliseconds; sizes in bytes.
    std::optional<std::int64_t> maximum{};    // In the same unit.
    bool bytes = false;                       // The number is a size: "10MiB".
    std::vector<std::string_view> choices{};  // All permitted texts; empty if any text is.
    bool may_be_empty = false;                // Permits an empty text or an empty list.
    std::size_t max_length = 500;             // Maximum length of a text, in bytes.
    std::size_t max_items = 100;              // Maximum number of items of a list or a map.
    Check check = nullptr;                    // Checks a text, each text of a list, each key of a map.
    std::string_view pattern{};               // `check` as ECMA 262 regular expression, for editors.
    bool reference = false;                   // Permits "env:NAME" and "env:NAME:default".
    bool literal = false;          // The text may be written as a number or a boolean: `default: 0`.
    bool is_default_shown = true;  // False if the default is derived and described in the text.
};

constexpr std::int64_t to_ms(std::chrono::milliseconds duration) {
    return duration.count();
}

namespace concepts {

struct AnyVisitor {
    template <class T>
    void operator()(std::string_view, T&, std::string_view, const Rules& = {}) {}
    template <class T>
    void map_of(std::string_view, std::vector<T>&, std::string T::*, std::string_view, const Rules& = {}) {}
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

}  // namespace concepts

}  // namespace integreat::json
