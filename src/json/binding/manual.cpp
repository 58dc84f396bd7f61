// SPDX-License-Identifier: Apache-2.0
#include "json/binding/manual.h"

namespace integreat::json {

namespace {

using Type = Field::Type;

std::string format_range(const Rules& rules, std::string (*format)(std::int64_t)) {
    if (rules.minimum && rules.minimum == rules.maximum) return " " + format(*rules.minimum);
    if (rules.minimum && rules.maximum)
        return ", " + format(*rules.minimum) + " to " + format(*rules.maximum);
    if (rules.minimum) return ", at least " + format(*rules.minimum);
    if (rules.maximum) return ", at most " + format(*rules.maximum);
    return "";
}

std::string format_number(std::int64_t number) {
    return std::to_string(number);
}

std::string format_choices(const Rules& rules) {
    std::string text;
    for (auto choice : rules.choices) {
        if (!text.empty()) text += ", ";
        text.append("`").append(choice).append("`");
    }
    return text;
}

std::string format_kind(const Field& field) {
    const Rules& rules = field.rules;
    switch (field.type) {
        case Type::text:
            if (!rules.choices.empty()) return format_choices(rules);
            return rules.reference ? "text or `env:NAME[:default]`" : "text";
        case Type::secret: return "`env:NAME`";
        case Type::boolean: return "`true` or `false`";
        case Type::number: return "number" + format_range(rules, format_number);
        case Type::bytes: return "size" + format_range(rules, format_bytes);
        case Type::duration: return "duration" + format_range(rules, format_duration);
        case Type::group: return "keys below";
        case Type::list:
            if (field.element.front().type == Type::group) return "list, keys below";
            return "list of " + format_kind(field.element.front());
        case Type::map: return "map of names, keys below";
    }
    return "";
}

std::string format_default(const Field& field) {
    if (field.rules.required) return "**required**";
    if (field.type == Type::list) {
        std::string text;
        for (const auto& item : field.items) {
            if (!text.empty()) text += ", ";
            text += item.value;
        }
        return text.empty() ? "" : "`[" + text + "]`";
    }
    return field.value.empty() ? "" : "`" + field.value + "`";
}

// Returns the group nested in a field, or null.
const Field* nested_group(const Field& field) {
    if (field.type == Type::group) return &field;
    bool many = field.type == Type::list || field.type == Type::map;
    return many && field.element.front().type == Type::group ? &field.element.front() : nullptr;
}

std::string append_path(const std::string& path, const Field& field) {
    std::string suffix = field.type == Type::list ? "[]" : field.type == Type::map ? ".NAME" : "";
    return (path.empty() ? "" : path + ".") + field.name + suffix;
}

void append_tables(std::string& text, const Field& group, const std::string& path) {
    bool has_scalars = false;
    for (const auto& member : group.members)
        has_scalars = has_scalars || member.type != Type::group;
    if (has_scalars) text += "| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
    for (const auto& member : group.members) {
        if (member.type == Type::group) continue;
        text += "| `" + member.name + "` | " + format_kind(member) + " | " + format_default(member) + " | " +
                member.description + " |\n";
    }
    if (has_scalars) text += "\n";
    for (const auto& member : group.members) {
        const Field* inner = nested_group(member);
        if (!inner) continue;
        std::string inner_path = append_path(path, member);
        text += "### `" + inner_path + "`\n\n" + member.description + "\n\n";
        append_tables(text, *inner, inner_path);
    }
}

}  // namespace

std::string to_markdown(const Field& root, std::string_view path) {
    std::string text = "## " + std::string(path) + "\n\n";
    append_tables(text, root, "");
    return text;
}

}  // namespace integreat::json
