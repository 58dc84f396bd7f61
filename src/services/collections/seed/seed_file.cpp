// SPDX-License-Identifier: Apache-2.0
#include "services/collections/seed/seed_file.h"

#include <algorithm>
#include <charconv>

#include "base/text/closest_match.h"
#include "config/diagnostics/document.h"
#include "json/binding/units.h"

namespace integreat::collections {

namespace {

using json::Node;
using Kind = Node::Kind;

constexpr std::array<std::string_view, 5> batch_keys{"collection", "count", "rows", "states", "values"};
constexpr std::array<std::string_view, 3> generator_keys{"make", "in", "share"};

std::string location_of(const config::Document& document, const Node& node) {
    return document.file + ":" + std::to_string(node.location.line);
}

std::vector<std::string> to_texts(const Node& list) {
    std::vector<std::string> texts;
    for (const auto& item : list.items)
        texts.push_back(item.text);
    return texts;
}

// Parser of one batch.
struct BatchParser {
    config::Document& document;
    const Model& model;
    std::string pointer;  // "/3"
    SeedBatch batch;

    void report(const std::string& below, std::string message) const {
        config::report(document, pointer + below, std::move(message));
    }

    const Field* field(const std::string& name, const std::string& below) const {
        const auto* found = batch.collection->find(name);
        bool writable = found && (found->writable() || name == "created_at" || name == "created_by" ||
                                  (name == "state" && below.starts_with("/rows")));
        if (writable) return found;
        std::vector<std::string> names;
        for (const auto& field : batch.collection->fields)
            names.push_back(field.name);
        report(below, (found ? "read-only field " : "unknown field ") + json::quoted(name) +
                          (found ? "" : did_you_mean(name, names)));
        return nullptr;
    }
};

bool expect(const BatchParser& parser, const Node& node, Kind kind, const std::string& below) {
    if (node.kind == kind) return true;
    parser.report(below, "must be " + std::string(json::kind_name(kind)) + ", not " +
                             std::string(json::kind_name(node.kind)));
    return false;
}

void report_unknown_keys(const BatchParser& parser, const Node& map, std::span<const std::string_view> known,
                         const std::string& below) {
    std::vector<std::string> names(known.begin(), known.end());
    for (const auto& member : map.members) {
        if (std::find(known.begin(), known.end(), member.key) == known.end())
            parser.report(json::append_pointer(below, member.key),
                          "unknown key " + json::quoted(member.key) + did_you_mean(member.key, names));
    }
}

void parse_count(BatchParser& parser, const Node& map) {
    parser.batch.count = parser.batch.rows.size();
    const auto* count = json::find_member(map, "count");
    if (!count) return;
    auto number = json::parse_integer(count->text);
    if (!number || *number < 1 || *number > static_cast<std::int64_t>(seed_records_max)) {
        parser.report("/count", "count must be 1 to " + std::to_string(seed_records_max));
        return;
    }
    parser.batch.count = static_cast<std::size_t>(*number);
}

void parse_rows(BatchParser& parser, const Node& map) {
    const auto* rows = json::find_member(map, "rows");
    if (!rows || !expect(parser, *rows, Kind::list, "/rows")) return;
    for (std::size_t i = 0; i < rows->items.size(); ++i) {
        std::string below = json::append_pointer("/rows", i);
        if (!expect(parser, rows->items[i], Kind::map, below)) continue;
        auto& row = parser.batch.rows.emplace_back();
        for (const auto& member : rows->items[i].members) {
            const auto* field = parser.field(member.key, json::append_pointer(below, member.key));
            if (field) row.emplace_back(field, member.value);
        }
    }
}

bool check_state(const BatchParser& parser, const std::string& state, const std::string& below) {
    const auto* field = parser.batch.collection->find("state");
    bool known = field && std::find(field->values.begin(), field->values.end(), state) != field->values.end();
    if (!known) {
        parser.report(below, "unknown state " + json::quoted(state) +
                                 (field ? did_you_mean(state, field->values) : ""));
    }
    return known;
}

void parse_states(BatchParser& parser, const Node& map) {
    const auto* states = json::find_member(map, "states");
    if (!states || !expect(parser, *states, Kind::map, "/states")) return;
    for (const auto& member : states->members) {
        std::string below = json::append_pointer("/states", member.key);
        auto weight = json::parse_integer(member.value.text);
        if (!weight || *weight < 1 || *weight > 1'000)
            parser.report(below, "the weight of a state must be 1 to 1000");
        else if (check_state(parser, member.key, below))
            parser.batch.states.emplace_back(member.key, *weight);
    }
}

void parse_generator(BatchParser& parser, const std::string& name, const Node& node,
                     const std::string& below) {
    FieldGenerator field_generator{.field = parser.field(name, below),
                                   .location = location_of(parser.document, node)};
    if (!field_generator.field) return;
    if (node.kind == Kind::text) {
        field_generator.text = node.text;
    } else if (expect(parser, node, Kind::map, below)) {
        report_unknown_keys(parser, node, generator_keys, below);
        const auto* make = json::find_member(node, "make");
        const auto* states = json::find_member(node, "in");
        const auto* share = json::find_member(node, "share");
        if (make) field_generator.text = make->text;
        if (states) field_generator.states = to_texts(*states);
        for (const auto& state : field_generator.states)
            check_state(parser, state, below + "/in");
        field_generator.share = share ? json::parse_integer(share->text).value_or(0) : 100;
        if (field_generator.share < 1 || field_generator.share > 100)
            parser.report(below + "/share", "share must be 1 to 100");
    }
    if (field_generator.text.empty()) parser.report(below, "no generator for " + json::quoted(name));
    parser.batch.generators.push_back(std::move(field_generator));
}

void parse_batch(BatchParser& parser, const Node& map) {
    if (!expect(parser, map, Kind::map, "")) return;
    report_unknown_keys(parser, map, batch_keys, "");
    parser.batch.location = location_of(parser.document, map);
    const auto* name = json::find_member(map, "collection");
    parser.batch.collection = name ? parser.model.find(name->text) : nullptr;
    if (!parser.batch.collection) {
        std::vector<std::string> names;
        for (const auto& collection : parser.model.collections)
            names.push_back(collection.name);
        parser.report("/collection", "unknown collection " + json::quoted(name ? name->text : "") +
                                         did_you_mean(name ? name->text : "", names));
        return;
    }
    parse_rows(parser, map);
    parse_count(parser, map);
    parse_states(parser, map);
    const auto* values = json::find_member(map, "values");
    if (!values || !expect(parser, *values, Kind::map, "/values")) return;
    for (const auto& member : values->members)
        parse_generator(parser, member.key, member.value, json::append_pointer("/values", member.key));
}

bool parse_place(const Node& node, Locality& place) {
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

SeedWords parse_words(config::Document& document) {
    SeedWords words;
    for (const auto& member : document.tree.members) {
        std::string pointer = json::append_pointer("", member.key);
        if (member.value.kind != Kind::list || member.value.items.empty()) {
            config::report(document, pointer, "must be a list of words");
        } else if (member.key == "places") {
            for (std::size_t i = 0; i < member.value.items.size(); ++i) {
                if (!parse_place(member.value.items[i], words.places.emplace_back()))
                    config::report(document, json::append_pointer(pointer, i),
                                   "a place needs city, latitude and longitude");
            }
        } else {
            words.lists[member.key] = to_texts(member.value);
        }
    }
    return words;
}

}  // namespace

SeedParseResult parse_seed(const config::Source& seed, const config::Source& words, const Model& model) {
    SeedParseResult result;
    config::Document words_document{.file = words.file};
    config::Document document{.file = seed.file};
    if (config::parse_document(words_document, words.text, config::EmptyFile::refused))
        result.seed.words = parse_words(words_document);
    if (config::parse_document(document, seed.text, config::EmptyFile::refused)) {
        const auto& batches = document.tree.items;
        if (document.tree.kind != Kind::list || batches.size() > seed_batches_max)
            config::report(document, "",
                           "a seed is a list of at most " + std::to_string(seed_batches_max) + " batches");
        else
            for (std::size_t i = 0; i < batches.size(); ++i) {
                BatchParser parser{document, model, json::append_pointer("", i), {}};
                parse_batch(parser, batches[i]);
                result.seed.batches.push_back(std::move(parser.batch));
            }
    }
    for (auto* source : {&words_document, &document}) {
        config::sort_by_location(source->errors);
        for (auto& diagnostic : source->errors)
            result.errors.push_back(std::move(diagnostic));
    }
    return result;
}

}  // namespace integreat::collections
