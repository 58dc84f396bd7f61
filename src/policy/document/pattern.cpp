// SPDX-License-Identifier: Apache-2.0
#include "policy/document/pattern.h"

#include "base/text/ascii.h"
#include "policy/document/wildcard.h"

namespace integreat::policy {

namespace {

Error invalid_variable(std::string_view source, std::string_view what) {
    return {Fault::invalid, "the policy variable in \"" + std::string(source) + "\" " + std::string(what),
            ""};
}

bool consume(std::string_view& text, std::string_view start) {
    if (text.substr(0, start.size()) != start) return false;
    text.remove_prefix(start.size());
    return true;
}

// Parses a variable after "${", including its "}".
Result<Variable> parse_variable(std::string_view& rest, std::string_view source) {
    auto end = rest.find_first_of(",}");
    if (end == std::string_view::npos) return invalid_variable(source, "has no closing \"}\"");
    auto key = rest.substr(0, end);
    if (key.empty() || key.find_first_of("${' \t") != std::string_view::npos) {
        return invalid_variable(source, "has no name of a context key, such as ${aws:username}");
    }
    rest.remove_prefix(end);
    Variable variable{to_lower(key), std::nullopt};
    if (consume(rest, "}")) return variable;
    consume(rest, ",");
    while (consume(rest, " ")) {
    }
    auto quote = consume(rest, "'") ? rest.find('\'') : std::string_view::npos;
    if (quote == std::string_view::npos) {
        return invalid_variable(source, "must have its default in the form ${key, 'default'}");
    }
    variable.default_value = std::string(rest.substr(0, quote));
    rest.remove_prefix(quote + 1);
    if (!consume(rest, "}")) return invalid_variable(source, "has no closing \"}\"");
    return variable;
}

bool has_wildcard_bytes(std::string_view text) {
    return text.find(any_run) != std::string_view::npos || text.find(any_one) != std::string_view::npos;
}

}  // namespace

Result<Pattern> compile(std::string_view source, const PatternSyntax& syntax) {
    if (has_wildcard_bytes(source)) {
        return Error{Fault::invalid, "a text of a policy is not valid UTF-8", ""};
    }
    Pattern pattern{std::string(source), "", {}};
    auto literal = [&](std::string_view text) {
        pattern.text += syntax.ignore_case ? to_lower(text) : std::string(text);
    };
    auto rest = source;
    while (!rest.empty()) {
        if (syntax.variables && consume(rest, "${")) {
            auto sign = rest.substr(0, 2);
            if (sign == "*}" || sign == "?}" || sign == "$}") {
                pattern.text += sign[0];
                rest.remove_prefix(2);
                continue;
            }
            auto variable = TRY(parse_variable(rest, source));
            pattern.segments.push_back({std::move(pattern.text), std::move(variable)});
            pattern.text.clear();
        } else if (syntax.wildcards && consume(rest, "*")) {
            pattern.text += any_run;
        } else if (syntax.wildcards && consume(rest, "?")) {
            pattern.text += any_one;
        } else {
            auto plain = rest.substr(0, std::max<std::size_t>(1, rest.find_first_of("$*?")));
            literal(plain);
            rest.remove_prefix(plain.size());
        }
    }
    if (!pattern.segments.empty()) {
        pattern.segments.push_back({std::move(pattern.text), std::nullopt});
        pattern.text.clear();
    }
    return pattern;
}

std::optional<std::string> expand(const Pattern& pattern, const Context& context) {
    if (pattern.segments.empty()) return pattern.text;
    std::string text;
    for (const auto& segment : pattern.segments) {
        text += segment.text;
        if (!segment.variable) continue;
        const auto* values = find(context, segment.variable->key);
        if (values && values->size() > 1) return std::nullopt;
        if (!values && !segment.variable->default_value) return std::nullopt;
        const auto& value = values ? values->front() : *segment.variable->default_value;
        if (has_wildcard_bytes(value) || value.size() > expanded_bytes_max) return std::nullopt;
        text += value;
        if (text.size() > expanded_bytes_max) return std::nullopt;
    }
    return text;
}

bool matches(const Pattern& pattern, std::string_view text, const Context& context) {
    if (pattern.segments.empty()) return matches(std::string_view(pattern.text), text);
    auto expanded = expand(pattern, context);
    return expanded && matches(std::string_view(*expanded), text);
}

}  // namespace integreat::policy
