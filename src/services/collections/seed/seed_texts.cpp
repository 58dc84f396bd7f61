// SPDX-License-Identifier: Apache-2.0
#include "services/collections/seed/seed_texts.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/text/closest_match.h"
#include "json/binding/units.h"

namespace integreat::collections {

namespace {

Error wrong(std::string message) {
    return {Fault::invalid, std::move(message), ""};
}

Result<std::string> filling(const Sprout& sprout, std::string_view name) {
    if (name == "n") return std::to_string(sprout.serial);
    if (name.starts_with("n:")) {
        auto width = json::parse_integer(name.substr(2)).value_or(0);
        if (width < 1 || width > 12) return wrong("needs a width from 1 to 12 in {n:WIDTH}");
        return fmt::format("{:0{}}", sprout.serial, static_cast<int>(width));
    }
    if (name.starts_with("year")) {
        bool next = name.starts_with("year+");
        auto more = name.size() == 4 ? 0 : json::parse_integer(name.substr(next ? 5 : 4)).value_or(10'000);
        if (more < -100 || more > 100) return wrong("knows {year}, {year+1}, {year-1}");
        auto today = std::chrono::floor<std::chrono::days>(sprout.garden.soil.now + manila);
        return std::to_string(int(std::chrono::year_month_day(today).year()) + more);
    }
    if (name.starts_with("pick:")) {
        auto list_name = TRY(filled_in(sprout, name.substr(5)));
        const auto& list = *TRY(word_list(sprout.garden.seed.words, list_name));
        return list[sprout.garden.dice.below(list.size())];
    }
    const auto* value = sprout.record.if_contains(name);
    if (!value || value->is_null()) return wrong("has no value yet for {" + std::string(name) + "}");
    return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
}

// The letters of Spanish and Filipino names beyond ASCII, in Unicode's Latin-1 block: after 0xC3 in UTF-8.
char plain_letter(unsigned char second) {
    constexpr std::string_view upper = "aaaaaaaceeeeiiiidnooooo.ouuuuy.s";
    unsigned char at = second >= 0xA0 ? second - 0xA0 : second - 0x80;
    return at < upper.size() ? upper[at] : '.';
}

}  // namespace

Result<const std::vector<std::string>*> word_list(const Words& words, std::string_view name) {
    auto found = words.lists.find(name);
    if (found != words.lists.end()) return &found->second;
    std::vector<std::string> names;
    for (const auto& [known, list] : words.lists)
        names.push_back(known);
    return wrong("names the unknown list of words \"" + std::string(name) + "\"" + did_you_mean(name, names));
}

Result<std::string> filled_in(const Sprout& sprout, std::string_view text) {
    std::string filled;
    while (true) {
        auto open = text.find('{');
        filled += text.substr(0, open);
        if (open == text.npos) return filled;
        auto close = text.find('}', open);
        if (close == text.npos) return wrong("has a { without its }");
        filled += TRY(filling(sprout, text.substr(open + 1, close - open - 1)));
        text.remove_prefix(close + 1);
    }
}

std::string slug_of(std::string_view text, char between) {
    std::string slug;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (static_cast<unsigned char>(c) == 0xC3 && i + 1 < text.size())
            c = plain_letter(static_cast<unsigned char>(text[++i]));
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (kept)
            slug += c;
        else if (!slug.empty() && slug.back() != between)
            slug += between;
    }
    while (!slug.empty() && slug.back() == between)
        slug.pop_back();
    return slug;
}

}  // namespace integreat::collections
