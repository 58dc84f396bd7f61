// SPDX-License-Identifier: Apache-2.0
#include "services/collections/seed/seed_texts.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/text/ascii.h"
#include "base/text/closest_match.h"
#include "json/binding/units.h"
#include "services/collections/values/field_formats.h"

namespace integreat::collections {

namespace {

Result<std::string> placeholder_value(const RecordDraft& draft, std::string_view name) {
    if (name == "n") return std::to_string(draft.serial);
    if (name.starts_with("n:")) {
        auto width = json::parse_integer(name.substr(2)).value_or(0);
        if (width < 1 || width > 12) return invalid("needs a width from 1 to 12 in {n:WIDTH}");
        return fmt::format("{:0{}}", draft.serial, static_cast<int>(width));
    }
    if (name.starts_with("year")) {
        bool next = name.starts_with("year+");
        auto more = name.size() == 4 ? 0 : json::parse_integer(name.substr(next ? 5 : 4)).value_or(10'000);
        if (more < -100 || more > 100) return invalid("accepts {year}, {year+1} and {year-1}");
        auto today = std::chrono::floor<std::chrono::days>(draft.generator.context.now + manila);
        return std::to_string(int(std::chrono::year_month_day(today).year()) + more);
    }
    if (name.starts_with("pick:")) {
        auto list_name = TRY(expand_template(draft, name.substr(5)));
        const auto& list = *TRY(word_list(draft.generator.seed.words, list_name));
        return list[draft.generator.rng.below(list.size())];
    }
    const auto* value = draft.record.if_contains(name);
    if (!value || value->is_null()) return invalid("has no value yet for {" + std::string(name) + "}");
    return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
}

// Returns the ASCII letter of a Latin-1 letter in Spanish and Filipino names, given its second UTF-8 byte
// (after 0xC3).
char to_ascii_letter(unsigned char second) {
    constexpr std::string_view upper = "aaaaaaaceeeeiiiidnooooo.ouuuuy.s";
    unsigned char at = second >= 0xA0 ? second - 0xA0 : second - 0x80;
    return at < upper.size() ? upper[at] : '.';
}

}  // namespace

Result<const std::vector<std::string>*> word_list(const SeedWords& words, std::string_view name) {
    auto found = words.lists.find(name);
    if (found != words.lists.end()) return &found->second;
    std::vector<std::string> names;
    for (const auto& [known, list] : words.lists)
        names.push_back(known);
    return invalid("names the unknown list of words \"" + std::string(name) + "\"" +
                   did_you_mean(name, names));
}

Result<std::string> expand_template(const RecordDraft& draft, std::string_view text) {
    std::string expanded;
    while (true) {
        auto open = text.find('{');
        expanded += text.substr(0, open);
        if (open == text.npos) return expanded;
        auto close = text.find('}', open);
        if (close == text.npos) return invalid("has an unclosed {");
        expanded += TRY(placeholder_value(draft, text.substr(open + 1, close - open - 1)));
        text.remove_prefix(close + 1);
    }
}

std::string make_slug(std::string_view text, char separator) {
    std::string slug;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (static_cast<unsigned char>(c) == 0xC3 && i + 1 < text.size())
            c = to_ascii_letter(static_cast<unsigned char>(text[++i]));
        if (is_alnum(c))
            slug += to_lower(c);
        else if (!slug.empty() && slug.back() != separator)
            slug += separator;
    }
    while (!slug.empty() && slug.back() == separator)
        slug.pop_back();
    return slug;
}

}  // namespace integreat::collections
