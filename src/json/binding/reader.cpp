// SPDX-License-Identifier: Apache-2.0
#include "json/binding/reader.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text/ascii.h"
#include "base/text/closest_match.h"
#include "json/binding/units.h"

namespace integreat::json {

namespace {

std::vector<std::string> to_strings(const std::vector<std::string_view>& views) {
    return {views.begin(), views.end()};
}

void report_kind(ReadContext& context, const FieldLocation& field, std::string_view expected) {
    report(context, field,
           field.name + " must be " + std::string(expected) + ", not " +
               std::string(kind_name(field.node.kind)));
}

// Returns whether a text may be read as another type: an unquoted YAML scalar, or a JSON number.
bool is_unquoted(const Node& node) {
    return node.kind == Node::Kind::number || (node.kind == Node::Kind::text && node.plain);
}

bool has_control_characters(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; });
}

bool is_variable_name(std::string_view name) {
    auto fits = [](char c) { return is_upper(c) || is_digit(c) || c == '_'; };
    return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
           std::all_of(name.begin(), name.end(), fits);
}

// Resolves "env:NAME" or "env:NAME:default".
std::optional<std::string> resolve(ReadContext& context, const FieldLocation& field,
                                   std::string_view reference) {
    std::string_view rest = reference.substr(4);
    std::string_view name = rest.substr(0, rest.find(':'));
    if (!is_variable_name(name)) {
        report(
            context, field,
            field.name + " must refer to a variable as env:NAME or env:NAME:default, the name in capitals");
        return std::nullopt;
    }
    if (!context.environment) {
        report(context, field, field.name + " cannot refer to the environment here");
        return std::nullopt;
    }
    if (auto value = (*context.environment)(name)) return value;
    if (name.size() < rest.size()) return std::string(rest.substr(name.size() + 1));
    report(context, field,
           "the environment variable " + std::string(name) +
               " is not set: set it, or write env:" + std::string(name) + ":DEFAULT");
    return std::nullopt;
}

std::optional<std::string> read_plain_text(ReadContext& context, const FieldLocation& field,
                                           const Rules& rules) {
    if (field.node.kind != Node::Kind::text) {
        report_kind(context, field, "a text");
        return std::nullopt;
    }
    std::string text = field.node.text;
    if (rules.reference && text.starts_with("env:")) {
        auto value = resolve(context, field, text);
        if (!value) return std::nullopt;
        text = std::move(*value);
    }
    std::string error;
    if (text.empty() && !rules.may_be_empty) {
        error = "must not be empty";
    } else if (text.size() > rules.max_length) {
        error = "must not be longer than " + std::to_string(rules.max_length) + " bytes";
    } else if (has_control_characters(text)) {
        error = "must not contain line breaks or control characters";
    }
    if (error.empty()) return text;
    report(context, field, field.name + " " + error);
    return std::nullopt;
}

std::string format_bounds(const Rules& rules, std::int64_t minimum, std::int64_t maximum,
                          const std::function<std::string(std::int64_t)>& format) {
    if (!rules.maximum && maximum == std::numeric_limits<std::int64_t>::max())
        return "at least " + format(minimum);
    if (minimum == maximum) return format(minimum);
    return format(minimum) + " to " + format(maximum);
}

bool in_bounds(ReadContext& context, const FieldLocation& field, const Rules& rules, std::int64_t number,
               std::pair<std::int64_t, std::int64_t> type_bounds,
               const std::function<std::string(std::int64_t)>& format) {
    std::int64_t minimum = rules.minimum.value_or(type_bounds.first);
    std::int64_t maximum = rules.maximum.value_or(type_bounds.second);
    if (number >= minimum && number <= maximum) return true;
    report(context, field,
           field.name + " must be " + format_bounds(rules, minimum, maximum, format) + ", not " +
               format(number));
    return false;
}

}  // namespace

void report(ReadContext& context, const FieldLocation& field, std::string message) {
    if (context.errors.size() < errors_max) {
        context.errors.push_back({field.node.location, field.pointer, std::move(message)});
    }
}

std::optional<std::string> read_text(ReadContext& context, const FieldLocation& field, const Rules& rules) {
    auto text = read_plain_text(context, field, rules);
    if (!text) return std::nullopt;
    if (!rules.choices.empty() &&
        std::find(rules.choices.begin(), rules.choices.end(), *text) == rules.choices.end()) {
        report(context, field,
               field.name + " must be one of " + join(rules.choices, ", ") + ", not " + quoted(*text) +
                   did_you_mean(*text, to_strings(rules.choices)));
        return std::nullopt;
    }
    if (text->empty() || !rules.check) return text;
    auto error = rules.check(*text);
    if (!error) return text;
    // A value from the environment may be a password and is not repeated.
    std::string actual = rules.reference ? "" : ", not " + quoted(*text);
    report(context, field, field.name + " " + *error + actual);
    return std::nullopt;
}

std::optional<Secret> read_secret(ReadContext& context, const FieldLocation& field, const Rules& rules) {
    std::string_view written = field.node.text;
    bool literal_secret = !written.starts_with("env:") || written.find(':', 4) != written.npos;
    if (rules.reference && field.node.kind == Node::Kind::text && literal_secret) {
        report(context, field, field.name + " is a secret and must not be stored in a file: write env:NAME");
        return std::nullopt;
    }
    auto text = read_plain_text(context, field, rules);
    if (!text) return std::nullopt;
    auto error = rules.check && !text->empty() ? rules.check(*text) : std::nullopt;
    if (error) {
        report(context, field, field.name + " " + *error);
        return std::nullopt;
    }
    return Secret(std::move(*text));
}

std::optional<bool> read_boolean(ReadContext& context, const FieldLocation& field) {
    const Node& node = field.node;
    bool unquoted = node.kind == Node::Kind::boolean || (node.kind == Node::Kind::text && node.plain);
    if (unquoted && node.text == "true") return true;
    if (unquoted && node.text == "false") return false;
    if (node.kind == Node::Kind::text) {
        report(context, field, field.name + " must be true or false, not " + quoted(node.text));
    } else {
        report_kind(context, field, "true or false");
    }
    return std::nullopt;
}

std::optional<std::int64_t> read_integer(ReadContext& context, const FieldLocation& field, const Rules& rules,
                                         std::int64_t type_minimum, std::int64_t type_maximum) {
    const Node& node = field.node;
    std::string_view expected = rules.bytes ? "a size such as 64KiB or 10MiB" : "a whole number";
    if (node.kind != Node::Kind::text && node.kind != Node::Kind::number) {
        report_kind(context, field, expected);
        return std::nullopt;
    }
    bool readable = rules.bytes || is_unquoted(node);
    auto number = rules.bytes ? parse_bytes(node.text) : parse_integer(node.text);
    if (!readable || !number) {
        std::string hint = number ? " (without quotes)" : "";
        report(context, field,
               field.name + " must be " + std::string(expected) + hint + ", not " + quoted(node.text));
        return std::nullopt;
    }
    auto format = [&](std::int64_t value) {
        return rules.bytes ? format_bytes(value) : std::to_string(value);
    };
    return in_bounds(context, field, rules, *number, {type_minimum, type_maximum}, format) ? number
                                                                                           : std::nullopt;
}

std::optional<std::int64_t> read_duration(ReadContext& context, const FieldLocation& field,
                                          const Rules& rules, std::int64_t unit_ms) {
    const Node& node = field.node;
    std::string_view expected = "a duration such as 250ms, 30s, 5m, 12h or 7d";
    if (node.kind != Node::Kind::text && node.kind != Node::Kind::number) {
        report_kind(context, field, expected);
        return std::nullopt;
    }
    auto length_ms = parse_duration(node.text);
    if (!length_ms) {
        std::string hint = parse_integer(node.text) ? " (with its unit)" : "";
        report(context, field,
               field.name + " must be " + std::string(expected) + hint + ", not " + quoted(node.text));
        return std::nullopt;
    }
    if (*length_ms % unit_ms != 0) {
        report(context, field, field.name + " must be whole seconds, not " + quoted(node.text));
        return std::nullopt;
    }
    std::pair type_bounds{std::int64_t{0}, std::numeric_limits<std::int64_t>::max()};
    return in_bounds(context, field, rules, *length_ms, type_bounds, format_duration) ? length_ms
                                                                                      : std::nullopt;
}

bool is_list(ReadContext& context, const FieldLocation& field, const Rules& rules) {
    const Node& node = field.node;
    if (node.kind == Node::Kind::text) {
        report(context, field,
               field.name + " must be a list: write [" + (node.text.size() > 40 ? "…" : node.text) + "]");
    } else if (node.kind != Node::Kind::list) {
        report_kind(context, field, "a list");
    } else if (node.items.empty() && !rules.may_be_empty) {
        report(context, field, field.name + " must not be empty: leave the key out for the default");
    } else if (node.items.size() > rules.max_items) {
        report(context, field,
               field.name + " must have at most " + std::to_string(rules.max_items) + " items, not " +
                   std::to_string(node.items.size()));
    } else {
        return true;
    }
    return false;
}

bool is_map(ReadContext& context, const FieldLocation& field, const Rules& rules) {
    const Node& node = field.node;
    if (node.kind != Node::Kind::map) {
        report_kind(context, field, "a map (key: value)");
    } else if (node.members.empty() && !rules.may_be_empty) {
        report(context, field, field.name + " must not be empty: leave the key out instead");
    } else if (node.members.size() > rules.max_items) {
        report(context, field,
               field.name + " must have at most " + std::to_string(rules.max_items) + " entries, not " +
                   std::to_string(node.members.size()));
    } else {
        return true;
    }
    return false;
}

void check_key(ReadContext& context, const FieldLocation& map, const Member& member, const Rules& rules) {
    auto error = rules.check ? rules.check(member.key) : std::nullopt;
    if (!error) return;
    Node key;
    key.location = member.location;
    report(context, FieldLocation{key, append_pointer(map.pointer, member.key), ""},
           "a name in " + map.name + " " + *error + ", not " + quoted(member.key));
}

void report_duplicates(ReadContext& context, const FieldLocation& list) {
    std::set<std::string_view> texts;
    for (std::size_t i = 0; i < list.node.items.size(); ++i) {
        const Node& item = list.node.items[i];
        if (item.kind != Node::Kind::text || texts.insert(item.text).second) continue;
        report(context, FieldLocation{item, append_pointer(list.pointer, i), list.name},
               list.name + " has " + quoted(item.text) + " twice");
    }
}

std::optional<FieldLocation> Reader::find(std::string_view name, const Rules& rules) {
    known_.emplace_back(name);
    const Node* node = find_member(map_.node, name);
    if (!node) {
        if (rules.required) {
            std::string where = map_.pointer.empty() ? "" : " in " + map_.name;
            report(context_, map_, "the key " + quoted(name) + " is missing" + where);
        }
        return std::nullopt;
    }
    FieldLocation field{*node, append_pointer(map_.pointer, name), std::string(name)};
    if (node->kind != Node::Kind::null) return field;
    report(context_, field, field.name + " has no value: give it one, or leave the key out");
    return std::nullopt;
}

std::string Reader::hint_for(const std::string& unknown_key) const {
    for (const auto& [from, to] : context_.renamed_keys) {
        bool is_known = std::binary_search(known_.begin(), known_.end(), to);
        if (from == unknown_key && is_known) return ": it is now called " + quoted(to);
    }
    return did_you_mean(unknown_key, known_);
}

void Reader::report_unknown_keys() {
    std::sort(known_.begin(), known_.end());
    for (const auto& member : map_.node.members) {
        if (std::binary_search(known_.begin(), known_.end(), member.key)) continue;
        if (context_.errors.size() >= errors_max) return;
        Node key;
        key.location = member.location;
        report(context_, FieldLocation{key, append_pointer(map_.pointer, member.key), ""},
               "unknown key " + quoted(member.key) + hint_for(member.key));
    }
}

}  // namespace integreat::json
