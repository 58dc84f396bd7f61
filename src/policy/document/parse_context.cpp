// SPDX-License-Identifier: Apache-2.0
#include "policy/document/parse_context.h"

#include <algorithm>

#include "base/text/closest_match.h"
#include "json/document/node.h"
#include "policy/document/wildcard.h"

namespace integreat::policy {

void report(Draft& draft, std::string pointer, std::string message, Complaint complaint, std::string aws) {
    constexpr std::size_t words_max = 1'000;  // AWS's words quote what was written, however long.
    if (draft.mistakes.size() >= draft.limits.mistakes_max) return;
    if (aws.size() > words_max) {
        std::size_t end = words_max;
        while (end > 0 && (static_cast<unsigned char>(aws[end]) & 0xC0) == 0x80)
            --end;
        aws.resize(end);
    }
    draft.mistakes.push_back({std::move(pointer), std::move(message), complaint, std::move(aws)});
}

std::string syntax_words(DocumentKind) {
    return "Syntax errors in policy.";
}

std::string unknown_field_words(DocumentKind kind, std::string_view name) {
    if (kind == DocumentKind::identity) return syntax_words(kind);
    return "Unknown field " + std::string(name);
}

std::string missing_field_words(DocumentKind kind, std::string_view name) {
    if (kind == DocumentKind::identity) return syntax_words(kind);
    return "Missing required field " + std::string(name);
}

std::string_view name_of(const boost::json::value& value) {
    if (value.is_null()) return "null";
    if (value.is_bool()) return "a boolean";
    if (value.is_number()) return "a number";
    if (value.is_string()) return "a text";
    return value.is_array() ? "a list" : "an object";
}

std::optional<std::string> read_text(Draft& draft, const Spot& spot, std::string_view what) {
    const auto* text = spot.value.if_string();
    auto words = syntax_words(draft.document.kind);
    if (!text) {
        report(draft, spot.pointer,
               std::string(what) + " must be a text, not " + std::string(name_of(spot.value)),
               Complaint::syntax, words);
        return std::nullopt;
    }
    if (text->size() > draft.limits.text_bytes_max) {
        report(
            draft, spot.pointer,
            std::string(what) + " is longer than " + std::to_string(draft.limits.text_bytes_max) + " bytes",
            Complaint::syntax, words);
        return std::nullopt;
    }
    return std::string(*text);
}

std::vector<Text> read_texts(Draft& draft, const Spot& spot, std::string_view what) {
    std::vector<Text> texts;
    const auto* list = spot.value.if_array();
    if (!list) {
        if (auto text = read_text(draft, spot, what)) texts.push_back({std::move(*text), spot.pointer});
        return texts;
    }
    if (list->size() > draft.limits.values_max) {
        report(draft, spot.pointer,
               std::string(what) + " has more than " + std::to_string(draft.limits.values_max) +
                   " values: use wildcards or several statements",
               Complaint::syntax, syntax_words(draft.document.kind));
        return texts;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
        auto pointer = json::below(spot.pointer, i);
        if (auto text = read_text(draft, {(*list)[i], pointer}, what)) {
            texts.push_back({std::move(*text), std::move(pointer)});
        }
    }
    return texts;
}

void refuse_unknown(Draft& draft, const boost::json::object& object, const std::string& pointer,
                    const std::vector<std::string>& known) {
    for (const auto& member : object) {
        std::string name(member.key());
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        auto same = std::find_if(known.begin(), known.end(), [&](const std::string& candidate) {
            return lower_case(candidate) == lower_case(name);
        });
        auto meant = same != known.end() ? ", did you mean \"" + *same + "\"?" : did_you_mean(name, known);
        report(draft, json::below(pointer, name), "there is no element " + json::quoted(name) + meant,
               Complaint::syntax, unknown_field_words(draft.document.kind, name));
    }
}

}  // namespace integreat::policy
