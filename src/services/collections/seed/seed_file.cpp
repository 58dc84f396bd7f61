// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "base/text/closest_match.h"
#include "config/diagnostics/document.h"
#include "json/binding/units.h"
#include "services/collections/seed/seed.h"

namespace integreat::collections {

namespace {

using json::Node;
using Kind = Node::Kind;

constexpr std::array<std::string_view, 5> bed_keys{"collection", "count", "rows", "states", "values"};
constexpr std::array<std::string_view, 3> maker_keys{"make", "in", "share"};

std::string line_of(const config::Document& document, const Node& node) {
    return document.file + ":" + std::to_string(node.place.line);
}

std::vector<std::string> texts_of(const Node& list) {
    std::vector<std::string> texts;
    for (const auto& item : list.items)
        texts.push_back(item.text);
    return texts;
}

// One bed while it is read.
struct BedReading {
    config::Document& document;
    const Model& model;
    std::string pointer;  // "/3"
    Bed bed;

    void complain(const std::string& below, std::string message) const {
        config::complain(document, pointer + below, std::move(message));
    }

    const Field* field(const std::string& name, const std::string& below) const {
        const auto* found = bed.collection->find(name);
        bool may = found && (found->writable() || name == "created_at" || name == "created_by" ||
                             (name == "state" && below.starts_with("/rows")));
        if (may) return found;
        std::vector<std::string> names;
        for (const auto& field : bed.collection->fields)
            names.push_back(field.name);
        complain(below, (found ? "nobody writes " : "unknown field ") + json::quoted(name) +
                            (found ? "" : did_you_mean(name, names)));
        return nullptr;
    }
};

bool expect(const BedReading& reading, const Node& node, Kind kind, const std::string& below) {
    if (node.kind == kind) return true;
    reading.complain(below, "must be " + std::string(json::name_of(kind)) + ", not " +
                                std::string(json::name_of(node.kind)));
    return false;
}

void refuse_unknown(const BedReading& reading, const Node& map, std::span<const std::string_view> known,
                    const std::string& below) {
    std::vector<std::string> names(known.begin(), known.end());
    for (const auto& member : map.members) {
        if (std::find(known.begin(), known.end(), member.key) == known.end())
            reading.complain(json::below(below, member.key),
                             "unknown key " + json::quoted(member.key) + did_you_mean(member.key, names));
    }
}

void read_count(BedReading& reading, const Node& map) {
    reading.bed.count = reading.bed.rows.size();
    const auto* count = json::find_member(map, "count");
    if (!count) return;
    auto number = json::parse_integer(count->text);
    if (!number || *number < 1 || *number > static_cast<std::int64_t>(seed_records_max)) {
        reading.complain("/count", "count must be 1 to " + std::to_string(seed_records_max));
        return;
    }
    reading.bed.count = static_cast<std::size_t>(*number);
}

void read_rows(BedReading& reading, const Node& map) {
    const auto* rows = json::find_member(map, "rows");
    if (!rows || !expect(reading, *rows, Kind::list, "/rows")) return;
    for (std::size_t i = 0; i < rows->items.size(); ++i) {
        std::string below = json::below("/rows", i);
        if (!expect(reading, rows->items[i], Kind::map, below)) continue;
        auto& row = reading.bed.rows.emplace_back();
        for (const auto& member : rows->items[i].members) {
            const auto* field = reading.field(member.key, json::below(below, member.key));
            if (field) row.emplace_back(field, member.value);
        }
    }
}

bool check_state(const BedReading& reading, const std::string& state, const std::string& below) {
    const auto* field = reading.bed.collection->find("state");
    bool known = field && std::find(field->values.begin(), field->values.end(), state) != field->values.end();
    if (!known) {
        reading.complain(below, "unknown state " + json::quoted(state) +
                                    (field ? did_you_mean(state, field->values) : ""));
    }
    return known;
}

void read_states(BedReading& reading, const Node& map) {
    const auto* states = json::find_member(map, "states");
    if (!states || !expect(reading, *states, Kind::map, "/states")) return;
    for (const auto& member : states->members) {
        std::string below = json::below("/states", member.key);
        auto weight = json::parse_integer(member.value.text);
        if (!weight || *weight < 1 || *weight > 1'000)
            reading.complain(below, "how often a state is must be 1 to 1000");
        else if (check_state(reading, member.key, below))
            reading.bed.states.emplace_back(member.key, *weight);
    }
}

void read_maker(BedReading& reading, const std::string& name, const Node& node, const std::string& below) {
    Maker maker{.field = reading.field(name, below), .where = line_of(reading.document, node)};
    if (!maker.field) return;
    if (node.kind == Kind::text) {
        maker.text = node.text;
    } else if (expect(reading, node, Kind::map, below)) {
        refuse_unknown(reading, node, maker_keys, below);
        const auto* make = json::find_member(node, "make");
        const auto* states = json::find_member(node, "in");
        const auto* share = json::find_member(node, "share");
        if (make) maker.text = make->text;
        if (states) maker.states = texts_of(*states);
        for (const auto& state : maker.states)
            check_state(reading, state, below + "/in");
        maker.share = share ? json::parse_integer(share->text).value_or(0) : 100;
        if (maker.share < 1 || maker.share > 100)
            reading.complain(below + "/share", "share must be 1 to 100");
    }
    if (maker.text.empty()) reading.complain(below, "says nothing about " + json::quoted(name));
    reading.bed.makers.push_back(std::move(maker));
}

void read_bed(BedReading& reading, const Node& map) {
    if (!expect(reading, map, Kind::map, "")) return;
    refuse_unknown(reading, map, bed_keys, "");
    reading.bed.where = line_of(reading.document, map);
    const auto* name = json::find_member(map, "collection");
    reading.bed.collection = name ? reading.model.find(name->text) : nullptr;
    if (!reading.bed.collection) {
        std::vector<std::string> names;
        for (const auto& collection : reading.model.collections)
            names.push_back(collection.name);
        reading.complain("/collection", "unknown collection " + json::quoted(name ? name->text : "") +
                                            did_you_mean(name ? name->text : "", names));
        return;
    }
    read_rows(reading, map);
    read_count(reading, map);
    read_states(reading, map);
    const auto* values = json::find_member(map, "values");
    if (!values || !expect(reading, *values, Kind::map, "/values")) return;
    for (const auto& member : values->members)
        read_maker(reading, member.key, member.value, json::below("/values", member.key));
}

bool read_place(const Node& node, Locality& place) {
    auto text = [&](std::string_view key) {
        const auto* member = json::find_member(node, key);
        return member ? member->text : std::string();
    };
    auto number = [&](std::string_view key, double& value) {
        auto written = text(key);
        auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value);
        return error == std::errc() && end == written.data() + written.size();
    };
    place.barangay = text("barangay");
    place.city = text("city");
    place.province = text("province");
    place.region = text("region");
    place.postal_code = text("postal_code");
    return !place.city.empty() && number("latitude", place.latitude) && number("longitude", place.longitude);
}

Words read_words(config::Document& document) {
    Words words;
    for (const auto& member : document.tree.members) {
        std::string pointer = json::below("", member.key);
        if (member.value.kind != Kind::list || member.value.items.empty()) {
            config::complain(document, pointer, "a list of words was expected");
        } else if (member.key == "places") {
            for (std::size_t i = 0; i < member.value.items.size(); ++i) {
                if (!read_place(member.value.items[i], words.places.emplace_back()))
                    config::complain(document, json::below(pointer, i),
                                     "a place needs city, latitude and longitude");
            }
        } else {
            words.lists[member.key] = texts_of(member.value);
        }
    }
    return words;
}

}  // namespace

SeedReading read_seed(const config::Source& seed, const config::Source& words, const Model& model) {
    SeedReading reading;
    config::Document wordbook{.file = words.file};
    config::Document document{.file = seed.file};
    if (config::parse_document(wordbook, words.text, config::Empty::refused))
        reading.seed.words = read_words(wordbook);
    if (config::parse_document(document, seed.text, config::Empty::refused)) {
        const auto& beds = document.tree.items;
        if (document.tree.kind != Kind::list || beds.size() > seed_beds_max)
            config::complain(document, "",
                             "a seed is a list of at most " + std::to_string(seed_beds_max) + " beds");
        else
            for (std::size_t i = 0; i < beds.size(); ++i) {
                BedReading bed{document, model, json::below("", i), {}};
                read_bed(bed, beds[i]);
                reading.seed.beds.push_back(std::move(bed.bed));
            }
    }
    for (auto* source : {&wordbook, &document}) {
        config::sort_by_place(source->mistakes);
        for (auto& mistake : source->mistakes)
            reading.mistakes.push_back(std::move(mistake));
    }
    return reading;
}

}  // namespace integreat::collections
