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
#include "services/collections/values/field_formats.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

using Arguments = std::vector<std::string_view>;

Arguments split_words(std::string_view text) {
    Arguments words;
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        if (text.empty()) return words;
        auto end = std::min(text.find(' '), text.size());
        words.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

// Arguments of a generator: its words, the field and the draft.
struct GeneratorCall {
    RecordDraft& draft;
    const Field& field;
    Arguments words;        // Arguments after the generator's name.
    std::string_view rest;  // The arguments as one text.

    Rng& rng() const { return draft.generator.rng; }
    Result<std::int64_t> integer(std::size_t at) const {
        auto number = at < words.size() ? json::parse_integer(words[at]) : std::nullopt;
        if (!number) return invalid(fmt::format("needs a whole number as word {}", at + 2));
        return *number;
    }
};

Result<bj::value> pick(const GeneratorCall& call) {
    auto name = TRY(expand_template(call.draft, call.rest));
    const auto& list = *TRY(word_list(call.draft.generator.seed.words, name));
    return bj::value(list[call.rng().below(list.size())]);
}

Result<bj::value> next(const GeneratorCall& call) {
    const auto& list = *TRY(word_list(call.draft.generator.seed.words, call.rest));
    return bj::value(list[call.draft.index % list.size()]);
}

// Implements "one cash*5 gcash*3": a weighted choice, with an underscore for a space in texts. Without
// arguments it chooses one of the field's values.
Result<bj::value> one(const GeneratorCall& call) {
    if (call.words.empty()) {
        const auto& values = call.field.values;
        if (values.empty()) return invalid("has no values to choose from");
        return bj::value(values[call.rng().below(values.size())]);
    }
    std::vector<std::pair<std::string_view, std::int64_t>> choices;
    std::int64_t sum = 0;
    for (auto word : call.words) {
        auto star = word.find('*');
        auto weight = star == word.npos ? 1 : json::parse_integer(word.substr(star + 1)).value_or(0);
        if (weight < 1) return invalid("needs a weight after * in " + json::quoted(word));
        choices.emplace_back(word.substr(0, star), weight);
        sum += weight;
    }
    auto draw = call.rng().between(1, sum);
    for (auto [choice, weight] : choices) {
        draw -= weight;
        if (draw > 0) continue;
        if (call.field.type == FieldType::integer) return bj::value(json::parse_integer(choice).value_or(0));
        return bj::value(choice);
    }
    return invalid("has no choices");
}

// Parses a number as an integer in units of the field's last decimal.
Result<std::int64_t> parse_scaled(const Field& field, std::string_view text) {
    auto point = text.find('.');
    std::string digits(text.substr(0, point));
    std::string fraction(point == text.npos ? "" : text.substr(point + 1));
    auto scale = static_cast<std::size_t>(field.type == FieldType::decimal ? field.scale : 0);
    if (fraction.size() > scale) return invalid("has too user_count decimals: " + json::quoted(text));
    fraction.resize(scale, '0');
    digits += fraction;
    auto zeros = digits.find_first_not_of('0');
    auto number = json::parse_integer(zeros == digits.npos ? "0" : std::string_view(digits).substr(zeros));
    if (!number) return invalid("needs a number, not " + json::quoted(text));
    return *number;
}

bj::value to_number_value(const Field& field, std::int64_t number) {
    if (field.type != FieldType::decimal) return number;
    auto text = fmt::format("{:0{}}", number, field.scale + 1);
    if (field.scale > 0) text.insert(text.size() - static_cast<std::size_t>(field.scale), ".");
    return bj::value(text);
}

// Implements "between 1 3 by 0.25".
Result<bj::value> between(const GeneratorCall& call) {
    const auto& words = call.words;
    if (words.size() != 2 && (words.size() != 4 || words[2] != "by"))
        return invalid("must be like: between 1 5, or between 1 3 by 0.25");
    auto least = TRY(parse_scaled(call.field, words[0]));
    auto most = TRY(parse_scaled(call.field, words[1]));
    auto step = words.size() == 4 ? TRY(parse_scaled(call.field, words[3])) : 1;
    if (step < 1 || most < least) return invalid("has an empty range");
    return to_number_value(call.field, least + step * call.rng().between(0, (most - least) / step));
}

bj::value to_time_value(const Field& field, Time time) {
    if (field.type != FieldType::date) return bj::value(format_rfc3339(time));
    auto day = std::chrono::year_month_day(std::chrono::floor<days>(time + manila));
    return bj::value(
        fmt::format("{:04}-{:02}-{:02}", int(day.year()), unsigned(day.month()), unsigned(day.day())));
}

// Implements "days -30 60 at 9 17": a day relative to today, at a full or half hour in Manila.
Result<bj::value> days_from_today(const GeneratorCall& call) {
    auto midnight = Time(std::chrono::floor<days>(call.draft.generator.context.now + manila)) - manila;
    auto day = call.rng().between(TRY(call.integer(0)), TRY(call.integer(1)));
    auto time = midnight + days(day);
    if (call.words.size() == 5 && call.words[2] == "at") {
        time += hours(call.rng().between(TRY(call.integer(3)), TRY(call.integer(4)))) +
                minutes(30 * call.rng().between(0, 1));
    } else {
        time += std::chrono::seconds(call.rng().between(0, 86'399));
    }
    bool past = day < 0 || call.field.name == "created_at";
    if (past) time = std::min(time, call.draft.generator.context.now);
    return to_time_value(call.field, time);
}

// Implements "after begins_at 3 6 hours".
Result<bj::value> after(const GeneratorCall& call) {
    if (call.words.size() != 4) return invalid("must be like: after begins_at 3 6 hours");
    const auto* earlier = call.draft.record.if_contains(call.words[0]);
    if (!earlier || !earlier->is_string())
        return invalid("needs a value of " + json::quoted(call.words[0]) + " set earlier");
    std::string text(earlier->get_string());
    if (text.size() == 10) text += "T00:00:00+08:00";
    auto time = TRY(parse_rfc3339(text));
    auto count = call.rng().between(TRY(call.integer(1)), TRY(call.integer(2)));
    time +=
        call.words[3] == "hours" ? std::chrono::duration_cast<minutes>(hours(count)) : minutes(count * 1440);
    return to_time_value(call.field, time);
}

// Returns the records that a reference may point to, restricted to the states given as arguments.
Result<std::vector<const Record*>> find_targets(const GeneratorCall& call) {
    if (call.field.type != FieldType::reference) return invalid("applies to reference fields only");
    std::vector<const Record*> found;
    for (const auto& record : call.draft.generator.records[call.field.target]) {
        const auto* state = record.if_contains("state");
        bool matches = call.words.empty() ||
                       (state && std::find(call.words.begin(), call.words.end(),
                                           std::string_view(state->get_string())) != call.words.end());
        if (matches) found.push_back(&record);
    }
    if (found.empty()) return invalid("finds no record of " + call.field.target + " inserted earlier");
    return found;
}

Result<bj::value> any(const GeneratorCall& call) {
    auto found = TRY(find_targets(call));
    return found[call.rng().below(found.size())]->at("id");
}

Result<bj::value> each(const GeneratorCall& call) {
    auto found = TRY(find_targets(call));
    return found[call.draft.index % found.size()]->at("id");
}

// Implements "of student.user": a field of a referenced record.
Result<bj::value> of(const GeneratorCall& call) {
    auto dot = call.rest.find('.');
    auto reference = call.rest.substr(0, dot);
    const auto* field = call.draft.batch.collection->find(reference);
    const auto* id = call.draft.record.if_contains(reference);
    if (dot == call.rest.npos || !field || !id)
        return invalid("must be like: of student.user, with student set earlier");
    for (const auto& record : call.draft.generator.records[field->target]) {
        if (record.at("id") != *id) continue;
        const auto* value = record.if_contains(call.rest.substr(dot + 1));
        return value ? *value : bj::value();
    }
    return bj::value();
}

std::string user_uid(const GeneratorCall& call, std::string_view role, std::size_t number) {
    const auto& users = call.draft.generator.context.users;
    auto known = users.find(role);
    if (number == 0 && known != users.end()) return known->second;
    return fmt::format("seed-{}-{:03}", role, number + 1);
}

// Implements "user student 40": cycles through 40 users, the first of which is the existing user of the role.
Result<bj::value> user(const GeneratorCall& call) {
    if (call.words.empty()) return invalid("must be like: user student 40");
    auto user_count = TRY(call.integer(1));
    if (user_count < 1) return invalid("needs at least one person");
    return bj::value(user_uid(call, call.words[0], call.draft.index % static_cast<std::size_t>(user_count)));
}

template <class MakeItem>
Result<bj::value> pick_distinct(const GeneratorCall& call, std::size_t first, std::size_t choices,
                                MakeItem make_item) {
    auto count = call.rng().between(TRY(call.integer(first)), TRY(call.integer(first + 1)));
    std::vector<std::size_t> remaining(choices);
    for (std::size_t i = 0; i < choices; ++i)
        remaining[i] = i;
    bj::array list;
    for (std::int64_t i = 0; i < count && !remaining.empty(); ++i) {
        auto at = call.rng().below(remaining.size());
        list.emplace_back(make_item(remaining[at]));
        remaining.erase(remaining.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return bj::value(std::move(list));
}

// Implements "users professor 12 1 3": one to three of twelve users.
Result<bj::value> users(const GeneratorCall& call) {
    auto user_count = TRY(call.integer(1));
    return pick_distinct(call, 2, static_cast<std::size_t>(std::clamp<std::int64_t>(user_count, 0, 1'000)),
                         [&](std::size_t number) { return user_uid(call, call.words[0], number); });
}

// Implements "some 1 3" of the field's values and "some 1 3 provinces" of a word list.
Result<bj::value> some(const GeneratorCall& call) {
    const auto* list = &call.field.values;
    if (call.words.size() > 2) list = TRY(word_list(call.draft.generator.seed.words, call.words[2]));
    return pick_distinct(call, 0, list->size(), [&](std::size_t at) { return (*list)[at]; });
}

Result<bj::value> place(const GeneratorCall& call) {
    const auto& words = call.draft.generator.seed.words;
    if (words.places.empty()) return invalid("finds no places in the word file");
    const auto& place = words.places[call.rng().below(words.places.size())];
    auto street = TRY(word_list(words, "streets"));
    auto near = [&](double degrees) {  // Offset of up to a few hundred metres.
        return static_cast<double>(static_cast<std::int64_t>(degrees * 1e6) +
                                   call.rng().between(-3'000, 3'000)) /
               1e6;
    };
    bj::object address{{"line", fmt::format("{} {}", call.rng().between(1, 320),
                                            (*street)[call.rng().below(street->size())])},
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

Result<bj::value> phone(const GeneratorCall& call) {
    constexpr std::array<std::string_view, 8> prefixes{"905", "917", "918", "919",
                                                       "927", "939", "956", "998"};
    return bj::value(fmt::format("+63{}{:07}", prefixes[call.rng().below(prefixes.size())],
                                 call.rng().between(0, 9'999'999)));
}

// Implements "email {given_name} {family_name}".
Result<bj::value> email(const GeneratorCall& call) {
    auto name = make_slug(TRY(expand_template(call.draft, call.rest)), '.');
    return bj::value(fmt::format("{}{}@example.ph", name, call.draft.serial));
}

// Implements "file evidence pdf".
Result<bj::value> file(const GeneratorCall& call) {
    if (call.words.size() != 2) return invalid("must be like: file evidence pdf");
    auto extension = call.words[1];
    auto type = extension == "pdf" ? "application/pdf" : extension == "jpg" ? "image/jpeg" : "";
    if (std::string_view(type).empty()) return invalid("accepts pdf and jpg only");
    auto name = fmt::format("{}-{:04}.{}", call.words[0], call.draft.serial, extension);
    return bj::value(bj::object{{"key", fmt::format("seed/{}/{}", call.words[0], name)},
                                {"name", name},
                                {"content_type", type},
                                {"bytes", call.rng().between(20'000, 3'000'000)}});
}

// Implements "code 8".
Result<bj::value> code(const GeneratorCall& call) {
    constexpr std::string_view letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    std::string text;
    for (auto remaining = TRY(call.integer(0)); remaining > 0 && text.size() < 64; --remaining)
        text += letters[call.rng().below(letters.size())];
    return bj::value(text);
}

Result<bj::value> yes(const GeneratorCall& call) {
    return bj::value(call.rng().between(1, 100) <= TRY(call.integer(0)));
}

Result<bj::value> text(const GeneratorCall& call) {
    return bj::value(TRY(expand_template(call.draft, call.rest)));
}

Result<bj::value> parse_json_value(const GeneratorCall& call) {
    return json::parse(call.rest);
}

// Implements "the AACCUP Master Survey Instrument": a reference by the first field of the record.
Result<bj::value> the(const GeneratorCall& call) {
    json::Node node;
    node.kind = json::Node::Kind::text;
    node.text = call.rest;
    return resolve_value(call.draft, call.field, node);
}

struct NamedGenerator {
    std::string_view name;
    Result<bj::value> (*make)(const GeneratorCall&);
};
constexpr std::array generators{NamedGenerator{"pick", pick},
                                NamedGenerator{"next", next},
                                NamedGenerator{"one", one},
                                NamedGenerator{"between", between},
                                NamedGenerator{"days", days_from_today},
                                NamedGenerator{"after", after},
                                NamedGenerator{"any", any},
                                NamedGenerator{"each", each},
                                NamedGenerator{"of", of},
                                NamedGenerator{"user", user},
                                NamedGenerator{"users", users},
                                NamedGenerator{"some", some},
                                NamedGenerator{"place", place},
                                NamedGenerator{"phone", phone},
                                NamedGenerator{"email", email},
                                NamedGenerator{"file", file},
                                NamedGenerator{"code", code},
                                NamedGenerator{"yes", yes},
                                NamedGenerator{"text", text},
                                NamedGenerator{"the", the},
                                NamedGenerator{"json", parse_json_value}};

}  // namespace

std::int64_t Rng::between(std::int64_t least, std::int64_t most) {
    if (most <= least) return least;
    return least + static_cast<std::int64_t>(below(static_cast<std::size_t>(most - least) + 1));
}

std::size_t Rng::below(std::size_t count) {
    std::uint64_t draw = 0;
    random_.fill(std::as_writable_bytes(std::span(&draw, 1)));
    return count == 0 ? 0 : static_cast<std::size_t>(draw % count);
}

Result<bj::value> generate_value(RecordDraft& draft, const FieldGenerator& field_generator) {
    std::string_view text = field_generator.text;
    auto end = std::min(text.find(' '), text.size());
    auto name = text.substr(0, end);
    auto rest = text.substr(std::min(end + 1, text.size()));
    auto known = std::find_if(generators.begin(), generators.end(),
                              [&](const NamedGenerator& entry) { return entry.name == name; });
    std::string error;
    if (known == generators.end()) {
        std::vector<std::string> names;
        for (const auto& entry : generators)
            names.emplace_back(entry.name);
        error = "is unknown" + did_you_mean(name, names);
    } else {
        auto value = known->make({draft, *field_generator.field, split_words(rest), rest});
        if (value) return value;
        error = value.error().message;
    }
    return invalid(fmt::format("{}: {} of {} {}", field_generator.location, json::quoted(name),
                               field_generator.field->name, error));
}

Result<bj::value> resolve_value(const RecordDraft& draft, const Field& field, const json::Node& node) {
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
        if (!number) return invalid("needs a whole number, not " + json::quoted(node.text));
        return bj::value(*number);
    }
    if (field.type != FieldType::reference) return bj::value(TRY(expand_template(draft, node.text)));
    auto known = draft.generator.records.find(field.target);
    const auto& target = *draft.generator.model.find(field.target);
    auto own =
        std::find_if(target.fields.begin(), target.fields.end(), [](const Field& f) { return !f.system; });
    if (known != draft.generator.records.end() && own != target.fields.end()) {
        for (const auto& record : known->second) {
            const auto* value = record.if_contains(own->name);
            if (value && value->is_string() && std::string_view(value->get_string()) == node.text)
                return record.at("id");
        }
    }
    return invalid(fmt::format("finds no record of {} whose {} is {}", field.target,
                               own == target.fields.end() ? "" : own->name, json::quoted(node.text)));
}

std::string make_record_id(Rng& rng, Time time) {
    auto ms = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count());
    auto text = fmt::format("{:012x}7{:03x}{:x}{:03x}{:012x}", ms, rng.below(0x1000), 8 + rng.below(4),
                            rng.below(0x1000), rng.below(std::size_t{1} << 48));
    for (std::size_t at : {8u, 13u, 18u, 23u})
        text.insert(at, "-");
    return text;
}

}  // namespace integreat::collections
