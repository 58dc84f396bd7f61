// SPDX-License-Identifier: Apache-2.0
#include "json/binding/reader.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text/closest_match.h"
#include "json/binding/units.h"
#include "json/value/limits.h"

namespace integreat::json {

namespace {

std::vector<std::string> owned(const std::vector<std::string_view>& views) {
    return {views.begin(), views.end()};
}

std::string listed(const std::vector<std::string_view>& choices) {
    std::string text;
    for (auto choice : choices) {
        if (!text.empty()) text += ", ";
        text += choice;
    }
    return text;
}

void report_kind(Reading& reading, const Spot& spot, std::string_view wanted) {
    report(reading, spot,
           spot.name + " must be " + std::string(wanted) + ", not " + std::string(name_of(spot.node.kind)));
}

// Text that may stand for something else: of YAML without quotes, or a number of JSON.
bool is_unquoted(const Node& node) {
    return node.kind == Node::Kind::number || (node.kind == Node::Kind::text && node.plain);
}

bool has_control_characters(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; });
}

bool is_variable_name(std::string_view name) {
    auto fits = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
    return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
           std::all_of(name.begin(), name.end(), fits);
}

// "env:NAME" or "env:NAME:default"
std::optional<std::string> resolve(Reading& reading, const Spot& spot, std::string_view reference) {
    std::string_view rest = reference.substr(4);
    std::string_view name = rest.substr(0, rest.find(':'));
    if (!is_variable_name(name)) {
        report(reading, spot,
               spot.name + " must refer to a variable as env:NAME or env:NAME:default, the name in capitals");
        return std::nullopt;
    }
    if (!reading.environment) {
        report(reading, spot, spot.name + " cannot refer to the environment here");
        return std::nullopt;
    }
    if (auto value = (*reading.environment)(name)) return value;
    if (name.size() < rest.size()) return std::string(rest.substr(name.size() + 1));
    report(reading, spot,
           "the environment variable " + std::string(name) +
               " is not set: set it, or write env:" + std::string(name) + ":DEFAULT");
    return std::nullopt;
}

std::optional<std::string> read_plain_text(Reading& reading, const Spot& spot, const Rules& rules) {
    if (spot.node.kind != Node::Kind::text) {
        report_kind(reading, spot, "a text");
        return std::nullopt;
    }
    std::string text = spot.node.text;
    if (rules.reference && text.starts_with("env:")) {
        auto value = resolve(reading, spot, text);
        if (!value) return std::nullopt;
        text = std::move(*value);
    }
    std::string complaint;
    if (text.empty() && !rules.may_be_empty) {
        complaint = "must not be empty";
    } else if (text.size() > rules.length_max) {
        complaint = "must not be longer than " + std::to_string(rules.length_max) + " bytes";
    } else if (has_control_characters(text)) {
        complaint = "must not hold line breaks or control characters";
    }
    if (complaint.empty()) return text;
    report(reading, spot, spot.name + " " + complaint);
    return std::nullopt;
}

std::string bounds(const Rules& rules, std::int64_t least, std::int64_t most,
                   const std::function<std::string(std::int64_t)>& format) {
    if (!rules.most && most == std::numeric_limits<std::int64_t>::max()) return "at least " + format(least);
    return format(least) + " to " + format(most);
}

bool in_bounds(Reading& reading, const Spot& spot, const Rules& rules, std::int64_t number,
               std::pair<std::int64_t, std::int64_t> type_bounds,
               const std::function<std::string(std::int64_t)>& format) {
    std::int64_t least = rules.least.value_or(type_bounds.first);
    std::int64_t most = rules.most.value_or(type_bounds.second);
    if (number >= least && number <= most) return true;
    report(reading, spot,
           spot.name + " must be " + bounds(rules, least, most, format) + ", not " + format(number));
    return false;
}

}  // namespace

void report(Reading& reading, const Spot& spot, std::string message) {
    if (reading.mistakes.size() < mistakes_max) {
        reading.mistakes.push_back({spot.node.place, spot.pointer, std::move(message)});
    }
}

std::optional<std::string> read_text(Reading& reading, const Spot& spot, const Rules& rules) {
    auto text = read_plain_text(reading, spot, rules);
    if (!text) return std::nullopt;
    if (!rules.choices.empty() &&
        std::find(rules.choices.begin(), rules.choices.end(), *text) == rules.choices.end()) {
        report(reading, spot,
               spot.name + " must be one of " + listed(rules.choices) + ", not " + quoted(*text) +
                   did_you_mean(*text, owned(rules.choices)));
        return std::nullopt;
    }
    if (text->empty() || !rules.check) return text;
    auto complaint = rules.check(*text);
    if (!complaint) return text;
    // What comes from the environment may hold a password and is not repeated.
    std::string written = rules.reference ? "" : ", not " + quoted(*text);
    report(reading, spot, spot.name + " " + *complaint + written);
    return std::nullopt;
}

std::optional<Secret> read_secret(Reading& reading, const Spot& spot, const Rules& rules) {
    std::string_view written = spot.node.text;
    bool stands_in_file = !written.starts_with("env:") || written.find(':', 4) != written.npos;
    if (rules.reference && spot.node.kind == Node::Kind::text && stands_in_file) {
        report(reading, spot, spot.name + " is a secret and must not stand in a file: write env:NAME");
        return std::nullopt;
    }
    auto text = read_plain_text(reading, spot, rules);
    if (!text) return std::nullopt;
    auto complaint = rules.check && !text->empty() ? rules.check(*text) : std::nullopt;
    if (complaint) {
        report(reading, spot, spot.name + " " + *complaint);
        return std::nullopt;
    }
    return Secret(std::move(*text));
}

std::optional<bool> read_boolean(Reading& reading, const Spot& spot) {
    const Node& node = spot.node;
    bool written = node.kind == Node::Kind::boolean || (node.kind == Node::Kind::text && node.plain);
    if (written && node.text == "true") return true;
    if (written && node.text == "false") return false;
    if (node.kind == Node::Kind::text) {
        report(reading, spot, spot.name + " must be true or false, not " + quoted(node.text));
    } else {
        report_kind(reading, spot, "true or false");
    }
    return std::nullopt;
}

std::optional<std::int64_t> read_integer(Reading& reading, const Spot& spot, const Rules& rules,
                                         std::int64_t type_least, std::int64_t type_most) {
    const Node& node = spot.node;
    std::string_view wanted = rules.bytes ? "a size such as 64KiB or 10MiB" : "a whole number";
    if (node.kind != Node::Kind::text && node.kind != Node::Kind::number) {
        report_kind(reading, spot, wanted);
        return std::nullopt;
    }
    bool readable = rules.bytes || is_unquoted(node);
    auto number = rules.bytes ? parse_bytes(node.text) : parse_integer(node.text);
    if (!readable || !number) {
        std::string hint = number ? " (without quotes)" : "";
        report(reading, spot,
               spot.name + " must be " + std::string(wanted) + hint + ", not " + quoted(node.text));
        return std::nullopt;
    }
    auto format = [&](std::int64_t value) {
        return rules.bytes ? format_bytes(value) : std::to_string(value);
    };
    return in_bounds(reading, spot, rules, *number, {type_least, type_most}, format) ? number : std::nullopt;
}

std::optional<std::int64_t> read_duration(Reading& reading, const Spot& spot, const Rules& rules,
                                          std::int64_t unit_ms) {
    const Node& node = spot.node;
    std::string_view wanted = "a duration such as 250ms, 30s, 5m, 12h or 7d";
    if (node.kind != Node::Kind::text && node.kind != Node::Kind::number) {
        report_kind(reading, spot, wanted);
        return std::nullopt;
    }
    auto length_ms = parse_duration(node.text);
    if (!length_ms) {
        std::string hint = parse_integer(node.text) ? " (with its unit)" : "";
        report(reading, spot,
               spot.name + " must be " + std::string(wanted) + hint + ", not " + quoted(node.text));
        return std::nullopt;
    }
    if (*length_ms % unit_ms != 0) {
        report(reading, spot, spot.name + " must be whole seconds, not " + quoted(node.text));
        return std::nullopt;
    }
    std::pair type_bounds{std::int64_t{0}, std::numeric_limits<std::int64_t>::max()};
    return in_bounds(reading, spot, rules, *length_ms, type_bounds, format_duration) ? length_ms
                                                                                     : std::nullopt;
}

bool is_list(Reading& reading, const Spot& spot, const Rules& rules) {
    const Node& node = spot.node;
    if (node.kind == Node::Kind::text) {
        report(reading, spot,
               spot.name + " must be a list: write [" + (node.text.size() > 40 ? "…" : node.text) + "]");
    } else if (node.kind != Node::Kind::list) {
        report_kind(reading, spot, "a list");
    } else if (node.items.empty() && !rules.may_be_empty) {
        report(reading, spot, spot.name + " must not be empty: leave the key out for the default");
    } else if (node.items.size() > rules.items_max) {
        report(reading, spot,
               spot.name + " must have at most " + std::to_string(rules.items_max) + " items, not " +
                   std::to_string(node.items.size()));
    } else {
        return true;
    }
    return false;
}

bool is_map(Reading& reading, const Spot& spot, const Rules& rules) {
    const Node& node = spot.node;
    if (node.kind != Node::Kind::map) {
        report_kind(reading, spot, "a map (key: value)");
    } else if (node.members.empty() && !rules.may_be_empty) {
        report(reading, spot, spot.name + " must not be empty: leave the key out instead");
    } else if (node.members.size() > rules.items_max) {
        report(reading, spot,
               spot.name + " must have at most " + std::to_string(rules.items_max) + " entries, not " +
                   std::to_string(node.members.size()));
    } else {
        return true;
    }
    return false;
}

void check_key(Reading& reading, const Spot& map, const Member& member, const Rules& rules) {
    auto complaint = rules.check ? rules.check(member.key) : std::nullopt;
    if (!complaint) return;
    Node key;
    key.place = member.place;
    report(reading, Spot{key, below(map.pointer, member.key), ""},
           "a name in " + map.name + " " + *complaint + ", not " + quoted(member.key));
}

void check_repetition(Reading& reading, const Spot& list) {
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < list.node.items.size(); ++i) {
        const Node& item = list.node.items[i];
        if (item.kind != Node::Kind::text || seen.insert(item.text).second) continue;
        report(reading, Spot{item, below(list.pointer, i), list.name},
               list.name + " has " + quoted(item.text) + " twice");
    }
}

std::optional<Spot> Reader::take(std::string_view name, const Rules& rules) {
    known_.emplace_back(name);
    const Node* node = find_member(map_.node, name);
    if (!node) {
        if (rules.required) {
            std::string where = map_.pointer.empty() ? "" : " in " + map_.name;
            report(reading_, map_, "the key " + quoted(name) + " is missing" + where);
        }
        return std::nullopt;
    }
    Spot spot{*node, below(map_.pointer, name), std::string(name)};
    if (node->kind != Node::Kind::null) return spot;
    report(reading_, spot, spot.name + " has no value: give it one, or leave the key out");
    return std::nullopt;
}

void Reader::refuse_unknown_keys() {
    std::sort(known_.begin(), known_.end());
    for (const auto& member : map_.node.members) {
        if (std::binary_search(known_.begin(), known_.end(), member.key)) continue;
        if (reading_.mistakes.size() >= mistakes_max) return;
        Node key;
        key.place = member.place;
        report(reading_, Spot{key, below(map_.pointer, member.key), ""},
               "unknown key " + quoted(member.key) + did_you_mean(member.key, known_));
    }
}

}  // namespace integreat::json
