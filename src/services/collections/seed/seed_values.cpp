// SPDX-License-Identifier: Apache-2.0
#include "services/collections/seed/seed_values.h"

#include <algorithm>
#include <array>
#include <span>

#include <boost/json/array.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/text/closest_match.h"
#include "crypto/encoding.h"
#include "json/binding/units.h"
#include "json/value/parse.h"
#include "services/collections/seed/seed_texts.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

using Arguments = std::vector<std::string_view>;

Arguments split(std::string_view text) {
    Arguments words;
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        if (text.empty()) return words;
        auto end = std::min(text.find(' '), text.size());
        words.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

Error wrong(std::string message) {
    return {Fault::invalid, std::move(message), ""};
}

// What a maker gets: its own words, and the field that the value is for.
struct Making {
    Sprout& sprout;
    const Field& field;
    Arguments words;        // Behind the maker's name.
    std::string_view rest;  // The same as one text.

    Dice& dice() const { return sprout.garden.dice; }
    Result<std::int64_t> integer(std::size_t at) const {
        auto number = at < words.size() ? json::parse_integer(words[at]) : std::nullopt;
        if (!number) return wrong(fmt::format("needs a whole number as word {}", at + 2));
        return *number;
    }
};

Result<bj::value> pick(const Making& making) {
    auto name = TRY(filled_in(making.sprout, making.rest));
    const auto& list = *TRY(word_list(making.sprout.garden.seed.words, name));
    return bj::value(list[making.dice().below(list.size())]);
}

Result<bj::value> next(const Making& making) {
    const auto& list = *TRY(word_list(making.sprout.garden.seed.words, making.rest));
    return bj::value(list[making.sprout.index % list.size()]);
}

// "one cash*5 gcash*3", an underscore for a space in texts; without words, one of the field's values.
Result<bj::value> one(const Making& making) {
    if (making.words.empty()) {
        const auto& values = making.field.values;
        if (values.empty()) return wrong("has no values to choose from");
        return bj::value(values[making.dice().below(values.size())]);
    }
    std::vector<std::pair<std::string_view, std::int64_t>> choices;
    std::int64_t sum = 0;
    for (auto word : making.words) {
        auto star = word.find('*');
        auto weight = star == word.npos ? 1 : json::parse_integer(word.substr(star + 1)).value_or(0);
        if (weight < 1) return wrong("needs a weight behind * in " + json::quoted(word));
        choices.emplace_back(word.substr(0, star), weight);
        sum += weight;
    }
    auto thrown = making.dice().between(1, sum);
    for (auto [choice, weight] : choices) {
        thrown -= weight;
        if (thrown > 0) continue;
        if (making.field.type == FieldType::integer)
            return bj::value(json::parse_integer(choice).value_or(0));
        return bj::value(choice);
    }
    return wrong("found nothing to choose");
}

// In units of the last digit that the field has.
Result<std::int64_t> scaled(const Field& field, std::string_view text) {
    auto point = text.find('.');
    std::string digits(text.substr(0, point));
    std::string fraction(point == text.npos ? "" : text.substr(point + 1));
    auto scale = static_cast<std::size_t>(field.type == FieldType::decimal ? field.scale : 0);
    if (fraction.size() > scale) return wrong("has too many digits behind the point: " + json::quoted(text));
    fraction.resize(scale, '0');
    digits += fraction;
    auto zeros = digits.find_first_not_of('0');
    auto number = json::parse_integer(zeros == digits.npos ? "0" : std::string_view(digits).substr(zeros));
    if (!number) return wrong("needs a number, not " + json::quoted(text));
    return *number;
}

bj::value number_value(const Field& field, std::int64_t number) {
    if (field.type != FieldType::decimal) return number;
    auto text = fmt::format("{:0{}}", number, field.scale + 1);
    if (field.scale > 0) text.insert(text.size() - static_cast<std::size_t>(field.scale), ".");
    return bj::value(text);
}

// "between 1 3 by 0.25"
Result<bj::value> between(const Making& making) {
    const auto& words = making.words;
    if (words.size() != 2 && (words.size() != 4 || words[2] != "by"))
        return wrong("must be like: between 1 5, or between 1 3 by 0.25");
    auto least = TRY(scaled(making.field, words[0]));
    auto most = TRY(scaled(making.field, words[1]));
    auto step = words.size() == 4 ? TRY(scaled(making.field, words[3])) : 1;
    if (step < 1 || most < least) return wrong("begins behind its end");
    return number_value(making.field, least + step * making.dice().between(0, (most - least) / step));
}

bj::value moment_value(const Field& field, Time time) {
    if (field.type != FieldType::date) return bj::value(format_rfc3339(time));
    auto day = std::chrono::year_month_day(std::chrono::floor<days>(time + manila));
    return bj::value(
        fmt::format("{:04}-{:02}-{:02}", int(day.year()), unsigned(day.month()), unsigned(day.day())));
}

// "days -30 60 at 9 17": a day from today on, a full or half hour in Manila.
Result<bj::value> days_from_today(const Making& making) {
    auto midnight = Time(std::chrono::floor<days>(making.sprout.garden.soil.now + manila)) - manila;
    auto day = making.dice().between(TRY(making.integer(0)), TRY(making.integer(1)));
    auto time = midnight + days(day);
    if (making.words.size() == 5 && making.words[2] == "at") {
        time += hours(making.dice().between(TRY(making.integer(3)), TRY(making.integer(4)))) +
                minutes(30 * making.dice().between(0, 1));
    } else {
        time += std::chrono::seconds(making.dice().between(0, 86'399));
    }
    bool past = day < 0 || making.field.name == "created_at";
    if (past) time = std::min(time, making.sprout.garden.soil.now);
    return moment_value(making.field, time);
}

// "after begins_at 3 6 hours"
Result<bj::value> after(const Making& making) {
    if (making.words.size() != 4) return wrong("must be like: after begins_at 3 6 hours");
    const auto* earlier = making.sprout.record.if_contains(making.words[0]);
    if (!earlier || !earlier->is_string())
        return wrong("needs " + json::quoted(making.words[0]) + " to have a value before");
    std::string text(earlier->get_string());
    if (text.size() == 10) text += "T00:00:00+08:00";
    auto time = TRY(parse_rfc3339(text));
    auto count = making.dice().between(TRY(making.integer(1)), TRY(making.integer(2)));
    time += making.words[3] == "hours" ? std::chrono::duration_cast<minutes>(hours(count))
                                       : minutes(count * 1440);
    return moment_value(making.field, time);
}

// The ids of a reference's records, of some states only.
Result<std::vector<const Record*>> targets(const Making& making) {
    if (making.field.type != FieldType::reference) return wrong("is for references");
    std::vector<const Record*> found;
    for (const auto& record : making.sprout.garden.grown[making.field.target]) {
        const auto* state = record.if_contains("state");
        bool fits = making.words.empty() ||
                    (state && std::find(making.words.begin(), making.words.end(),
                                        std::string_view(state->get_string())) != making.words.end());
        if (fits) found.push_back(&record);
    }
    if (found.empty()) return wrong("finds no record of " + making.field.target + " sown before");
    return found;
}

Result<bj::value> any(const Making& making) {
    auto found = TRY(targets(making));
    return found[making.dice().below(found.size())]->at("id");
}

Result<bj::value> each(const Making& making) {
    auto found = TRY(targets(making));
    return found[making.sprout.index % found.size()]->at("id");
}

// "of student.user": a field of a record that this one refers to.
Result<bj::value> of(const Making& making) {
    auto dot = making.rest.find('.');
    auto reference = making.rest.substr(0, dot);
    const auto* field = making.sprout.bed.collection->find(reference);
    const auto* id = making.sprout.record.if_contains(reference);
    if (dot == making.rest.npos || !field || !id)
        return wrong("must be like: of student.user, student known before");
    for (const auto& record : making.sprout.garden.grown[field->target]) {
        if (record.at("id") != *id) continue;
        const auto* value = record.if_contains(making.rest.substr(dot + 1));
        return value ? *value : bj::value();
    }
    return bj::value();
}

std::string person(const Making& making, std::string_view role, std::size_t number) {
    const auto& people = making.sprout.garden.soil.people;
    auto known = people.find(role);
    if (number == 0 && known != people.end()) return known->second;
    return fmt::format("seed-{}-{:03}", role, number + 1);
}

// "user student 40": one of so many people after the other, the first of them the one whom we know.
Result<bj::value> user(const Making& making) {
    if (making.words.empty()) return wrong("must be like: user student 40");
    auto many = TRY(making.integer(1));
    if (many < 1) return wrong("needs at least one person");
    return bj::value(person(making, making.words[0], making.sprout.index % static_cast<std::size_t>(many)));
}

template <class Take>
Result<bj::value> several(const Making& making, std::size_t first, std::size_t choices, Take take) {
    auto count = making.dice().between(TRY(making.integer(first)), TRY(making.integer(first + 1)));
    std::vector<std::size_t> left(choices);
    for (std::size_t i = 0; i < choices; ++i)
        left[i] = i;
    bj::array list;
    for (std::int64_t i = 0; i < count && !left.empty(); ++i) {
        auto at = making.dice().below(left.size());
        list.emplace_back(take(left[at]));
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return bj::value(std::move(list));
}

// "users professor 12 1 3": one to three of twelve.
Result<bj::value> users(const Making& making) {
    auto many = TRY(making.integer(1));
    return several(making, 2, static_cast<std::size_t>(std::clamp<std::int64_t>(many, 0, 1'000)),
                   [&](std::size_t number) { return person(making, making.words[0], number); });
}

// "some 1 3" of the field's values, "some 1 3 provinces" of a list of words.
Result<bj::value> some(const Making& making) {
    const auto* list = &making.field.values;
    if (making.words.size() > 2) list = TRY(word_list(making.sprout.garden.seed.words, making.words[2]));
    return several(making, 0, list->size(), [&](std::size_t at) { return (*list)[at]; });
}

Result<bj::value> place(const Making& making) {
    const auto& words = making.sprout.garden.seed.words;
    if (words.places.empty()) return wrong("finds no places among the words");
    const auto& place = words.places[making.dice().below(words.places.size())];
    auto street = TRY(word_list(words, "streets"));
    auto near = [&](double degrees) {  // Within a few hundred metres.
        return static_cast<double>(static_cast<std::int64_t>(degrees * 1e6) +
                                   making.dice().between(-3'000, 3'000)) /
               1e6;
    };
    bj::object address{{"line", fmt::format("{} {}", making.dice().between(1, 320),
                                            (*street)[making.dice().below(street->size())])},
                       {"city", place.city},
                       {"country", "PH"}};
    for (auto [key, text] :
         {std::pair{"barangay", &place.barangay}, std::pair{"province", &place.province},
          std::pair{"region", &place.region}, std::pair{"postal_code", &place.postal_code}})
        if (!text->empty()) address[key] = *text;
    address["latitude"] = near(place.latitude);
    address["longitude"] = near(place.longitude);
    return bj::value(std::move(address));
}

Result<bj::value> phone(const Making& making) {
    constexpr std::array<std::string_view, 8> prefixes{"905", "917", "918", "919",
                                                       "927", "939", "956", "998"};
    return bj::value(fmt::format("+63{}{:07}", prefixes[making.dice().below(prefixes.size())],
                                 making.dice().between(0, 9'999'999)));
}

// "email {given_name} {family_name}"
Result<bj::value> email(const Making& making) {
    auto name = slug_of(TRY(filled_in(making.sprout, making.rest)), '.');
    return bj::value(fmt::format("{}{}@example.ph", name, making.sprout.serial));
}

// "file evidence pdf"
Result<bj::value> file(const Making& making) {
    if (making.words.size() != 2) return wrong("must be like: file evidence pdf");
    auto extension = making.words[1];
    auto type = extension == "pdf" ? "application/pdf" : extension == "jpg" ? "image/jpeg" : "";
    if (std::string_view(type).empty()) return wrong("knows pdf and jpg only");
    auto name = fmt::format("{}-{:04}.{}", making.words[0], making.sprout.serial, extension);
    return bj::value(bj::object{{"key", fmt::format("seed/{}/{}", making.words[0], name)},
                                {"name", name},
                                {"content_type", type},
                                {"bytes", making.dice().between(20'000, 3'000'000)}});
}

// "code 8"
Result<bj::value> code(const Making& making) {
    constexpr std::string_view letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    std::string text;
    for (auto left = TRY(making.integer(0)); left > 0 && text.size() < 64; --left)
        text += letters[making.dice().below(letters.size())];
    return bj::value(text);
}

Result<bj::value> yes(const Making& making) {
    return bj::value(making.dice().between(1, 100) <= TRY(making.integer(0)));
}

Result<bj::value> text(const Making& making) {
    return bj::value(TRY(filled_in(making.sprout, making.rest)));
}

Result<bj::value> parsed(const Making& making) {
    return json::parse(making.rest);
}

// "the AACCUP Master Survey Instrument"
Result<bj::value> the(const Making& making) {
    json::Node node;
    node.kind = json::Node::Kind::text;
    node.text = making.rest;
    return value_of(making.sprout, making.field, node);
}

struct Known {
    std::string_view name;
    Result<bj::value> (*make)(const Making&);
};
constexpr std::array makers{Known{"pick", pick},
                            Known{"next", next},
                            Known{"one", one},
                            Known{"between", between},
                            Known{"days", days_from_today},
                            Known{"after", after},
                            Known{"any", any},
                            Known{"each", each},
                            Known{"of", of},
                            Known{"user", user},
                            Known{"users", users},
                            Known{"some", some},
                            Known{"place", place},
                            Known{"phone", phone},
                            Known{"email", email},
                            Known{"file", file},
                            Known{"code", code},
                            Known{"yes", yes},
                            Known{"text", text},
                            Known{"the", the},
                            Known{"json", parsed}};

}  // namespace

std::int64_t Dice::between(std::int64_t least, std::int64_t most) {
    if (most <= least) return least;
    return least + static_cast<std::int64_t>(below(static_cast<std::size_t>(most - least) + 1));
}

std::size_t Dice::below(std::size_t count) {
    std::uint64_t thrown = 0;
    random_.fill(std::as_writable_bytes(std::span(&thrown, 1)));
    return count == 0 ? 0 : static_cast<std::size_t>(thrown % count);
}

Result<bj::value> make_value(Sprout& sprout, const Maker& maker) {
    std::string_view written = maker.text;
    auto end = std::min(written.find(' '), written.size());
    auto name = written.substr(0, end);
    auto rest = written.substr(std::min(end + 1, written.size()));
    auto known =
        std::find_if(makers.begin(), makers.end(), [&](const Known& one) { return one.name == name; });
    std::string problem;
    if (known == makers.end()) {
        std::vector<std::string> names;
        for (const auto& one : makers)
            names.emplace_back(one.name);
        problem = "is unknown" + did_you_mean(name, names);
    } else {
        auto value = known->make({sprout, *maker.field, split(rest), rest});
        if (value) return value;
        problem = value.error().message;
    }
    return wrong(fmt::format("{}: {} of {} {}", maker.where, json::quoted(name), maker.field->name, problem));
}

Result<bj::value> value_of(const Sprout& sprout, const Field& field, const json::Node& node) {
    if (field.type == FieldType::list) {
        bj::array list;
        for (const auto& item : node.items)
            list.emplace_back(item.text);
        return bj::value(std::move(list));
    }
    if (field.type == FieldType::json) return json::parse(node.text);
    if (field.type == FieldType::boolean) return bj::value(node.text == "true");
    if (field.type == FieldType::integer || field.type == FieldType::money) {
        auto number = json::parse_integer(node.text);
        if (!number) return wrong("needs a whole number, not " + json::quoted(node.text));
        return bj::value(*number);
    }
    if (field.type != FieldType::reference) return bj::value(TRY(filled_in(sprout, node.text)));
    auto known = sprout.garden.grown.find(field.target);
    const auto& target = *sprout.garden.model.find(field.target);
    auto own =
        std::find_if(target.fields.begin(), target.fields.end(), [](const Field& f) { return !f.system; });
    if (known != sprout.garden.grown.end() && own != target.fields.end()) {
        for (const auto& record : known->second) {
            const auto* value = record.if_contains(own->name);
            if (value && value->is_string() && std::string_view(value->get_string()) == node.text)
                return record.at("id");
        }
    }
    return wrong(fmt::format("finds no record of {} whose {} is {}", field.target,
                             own == target.fields.end() ? "" : own->name, json::quoted(node.text)));
}

std::string make_id(Dice& dice, Time time) {
    auto ms = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count());
    auto text = fmt::format("{:012x}7{:03x}{:x}{:03x}{:012x}", ms, dice.below(0x1000), 8 + dice.below(4),
                            dice.below(0x1000), dice.below(std::size_t{1} << 48));
    for (std::size_t at : {8u, 13u, 18u, 23u})
        text.insert(at, "-");
    return text;
}

}  // namespace integreat::collections
