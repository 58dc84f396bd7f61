// SPDX-License-Identifier: Apache-2.0
// A document tree in which every key and value has a source location, so that an error can point at it. YAML
// and JSON both become this. The type of a plain YAML scalar is decided by the field it is read into ("no" is
// a text for a title and an error for a boolean), never by its spelling alone.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

namespace integreat::json {

// Limits of a document: far above hand-written files, far below harmful sizes.
inline constexpr std::size_t document_bytes_max = 1024 * 1024;
inline constexpr int depth_max = 32;
inline constexpr std::size_t nodes_max = 100'000;
inline constexpr std::size_t key_bytes_max = 128;  // YAML only. Errors quote keys in full.
inline constexpr std::size_t errors_max = 1'000;   // Errors reported per document.

// Line and column, counted from 1, in characters; 0 if there is no source text.
struct SourceLocation {
    int line = 0;
    int column = 0;
    friend auto operator<=>(const SourceLocation&, const SourceLocation&) = default;
};

struct Member;

struct Node {
    enum class Kind { null, boolean, number, text, list, map };

    Kind kind = Kind::null;
    bool plain = false;  // An unquoted YAML scalar: may be read as a number, a boolean, a duration.
    std::string text;    // A text, or the spelling of a number or boolean.
    SourceLocation location;
    std::vector<Node> items;
    std::vector<Member> members;  // In document order; keys are unique.
};

struct Member {
    std::string key;
    SourceLocation location;  // Location of the key.
    Node value;
};

// An error in a document: its location, and what to change.
struct ValidationError {
    SourceLocation location;
    std::string pointer;  // RFC 6901: "/routes/2/roles/0".
    std::string message;
};

const Node* find_member(const Node& map, std::string_view key);

// Returns the node of an RFC 6901 pointer, or null.
const Node* find(const Node& root, std::string_view pointer);

// Returns the location of the deepest existing node on the path of `pointer`.
SourceLocation find_location(const Node& root, std::string_view pointer);

// Returns `pointer` extended by one reference token, escaped (RFC 6901 section 3).
std::string append_pointer(std::string_view pointer, std::string_view key);
std::string append_pointer(std::string_view pointer, std::size_t index);

// Converts a parsed JSON body to a tree without locations. Values nested deeper than depth_max become null.
Node to_node(const boost::json::value& value);

// Returns the kind with its article, for sentences: "a list", "a text".
std::string_view kind_name(Node::Kind kind);

// Quotes input for a message: at most 60 characters, control characters escaped.
std::string quoted(std::string_view text);

}  // namespace integreat::json
