// SPDX-License-Identifier: Apache-2.0
#include "json/binding/describe.h"

namespace integreat::json {

namespace {

using Type = Field::Type;

std::string range(const Rules& rules, std::string (*format)(std::int64_t)) {
    if (rules.least && rules.most) return ", " + format(*rules.least) + " to " + format(*rules.most);
    if (rules.least) return ", at least " + format(*rules.least);
    if (rules.most) return ", at most " + format(*rules.most);
    return "";
}

std::string format_number(std::int64_t number) {
    return std::to_string(number);
}

std::string choices_of(const Rules& rules) {
    std::string text;
    for (auto choice : rules.choices) {
        if (!text.empty()) text += ", ";
        text.append("`").append(choice).append("`");
    }
    return text;
}

std::string kind_of(const Field& field) {
    const Rules& rules = field.rules;
    switch (field.type) {
        case Type::text:
            if (!rules.choices.empty()) return choices_of(rules);
            return rules.reference ? "text or `env:NAME[:default]`" : "text";
        case Type::secret: return "`env:NAME`";
        case Type::boolean: return "`true` or `false`";
        case Type::number: return "number" + range(rules, format_number);
        case Type::bytes: return "size" + range(rules, format_bytes);
        case Type::duration: return "duration" + range(rules, format_duration);
        case Type::group: return "keys below";
        case Type::list:
            if (field.element.front().type == Type::group) return "list, keys below";
            return "list of " + kind_of(field.element.front());
        case Type::named: return "map of names, keys below";
    }
    return "";
}

std::string default_of(const Field& field) {
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

// The group that a field brings with it, if any.
const Field* group_of(const Field& field) {
    if (field.type == Type::group) return &field;
    bool many = field.type == Type::list || field.type == Type::named;
    return many && field.element.front().type == Type::group ? &field.element.front() : nullptr;
}

std::string path_below(const std::string& path, const Field& field) {
    std::string suffix = field.type == Type::list ? "[]" : field.type == Type::named ? ".NAME" : "";
    return (path.empty() ? "" : path + ".") + field.name + suffix;
}

void append_tables(std::string& text, const Field& group, const std::string& path) {
    bool has_scalars = false;
    for (const auto& member : group.members)
        has_scalars = has_scalars || member.type != Type::group;
    if (has_scalars) text += "| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
    for (const auto& member : group.members) {
        if (member.type == Type::group) continue;
        text += "| `" + member.name + "` | " + kind_of(member) + " | " + default_of(member) + " | " +
                member.sentence + " |\n";
    }
    if (has_scalars) text += "\n";
    for (const auto& member : group.members) {
        const Field* inner = group_of(member);
        if (!inner) continue;
        std::string inner_path = path_below(path, member);
        text += "### `" + inner_path + "`\n\n" + member.sentence + "\n\n";
        append_tables(text, *inner, inner_path);
    }
}

}  // namespace

std::string manual_of(const Field& root, std::string_view path) {
    std::string text = "## " + std::string(path) + "\n\n";
    append_tables(text, root, "");
    return text;
}

}  // namespace integreat::json
