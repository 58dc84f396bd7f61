// SPDX-License-Identifier: Apache-2.0
// A document as a tree whose every key and value knows its place, so that a mistake in it can be pointed
// at. YAML and JSON both become this; what a scalar of YAML means is decided by whoever reads it
// ("no" is a text for a title and a mistake for a boolean), never by its spelling alone.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

namespace integreat::json {

// Counted from 1, in characters; 0 where there is no text to point at.
struct Place {
    int line = 0;
    int column = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
};

struct Member;

struct Node {
    enum class Kind { null, boolean, number, text, list, map };

    Kind kind = Kind::null;
    bool plain = false;  // A text of YAML without quotes: may be read as a number, a boolean, a duration.
    std::string text;    // Of text; of a number and a boolean as they were written.
    Place place;
    std::vector<Node> items;
    std::vector<Member> members;  // In the order of the document; keys are unique.
};

struct Member {
    std::string key;
    Place place;  // Of the key.
    Node value;
};

// Something wrong in a document: where, and what to change.
struct Mistake {
    Place place;
    std::string pointer;  // RFC 6901: "/routes/2/roles/0".
    std::string message;
};

const Node* find_member(const Node& map, std::string_view key);

// The node that an RFC 6901 pointer names, or null.
const Node* find(const Node& root, std::string_view pointer);

// The place of the deepest node on the way of `pointer` that exists.
Place place_of(const Node& root, std::string_view pointer);

// `pointer` extended by one step, escaped as RFC 6901 section 3 says.
std::string below(std::string_view pointer, std::string_view key);
std::string below(std::string_view pointer, std::size_t index);

// A parsed JSON body as a tree without places. Beyond the depth that parse_yaml allows: null.
Node node_of(const boost::json::value& value);

// "a list", "a text": what a node is, for sentences.
std::string_view name_of(Node::Kind kind);

// A foreign text as it may stand in a message: in quotes, at most 60 characters, control characters escaped.
std::string quoted(std::string_view text);

}  // namespace integreat::json
