// SPDX-License-Identifier: Apache-2.0
#include "services/collections/seed/seed.h"

#include <algorithm>
#include <set>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "json/binding/units.h"
#include "json/document/node.h"
#include "services/collections/seed/seed_values.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

constexpr int attempts_max = 200;      // To find a record that is unlike all others.
constexpr std::int64_t age_max = 120;  // Days, of records whose seed doesn't say.

Error wrong(const Bed& bed, std::string message) {
    return {Fault::invalid, fmt::format("{}: {} {}", bed.where, bed.collection->name, message), ""};
}

std::string state_of(Sprout& sprout) {
    const auto& collection = *sprout.bed.collection;
    const auto& states = sprout.bed.states;
    if (collection.initial_state.empty()) return "";
    if (!sprout.bed.rows.empty()) {
        for (const auto& [field, node] : sprout.bed.rows[sprout.index % sprout.bed.rows.size()])
            if (field->name == "state") return node.text;
    }
    if (states.empty()) return collection.initial_state;
    if (sprout.index == 0) return states.front().first;
    std::int64_t sum = 0;
    for (const auto& [state, weight] : states)
        sum += weight;
    auto thrown = sprout.garden.dice.between(1, sum);
    for (const auto& [state, weight] : states) {
        thrown -= weight;
        if (thrown <= 0) return state;
    }
    return states.back().first;
}

bool applies(Sprout& sprout, const Maker& maker, const std::string& state) {
    if (sprout.record.contains(maker.field->name)) return false;  // A row says it.
    bool right = maker.states.empty() ||
                 std::find(maker.states.begin(), maker.states.end(), state) != maker.states.end();
    return right && (maker.share >= 100 || sprout.garden.dice.between(1, 100) <= maker.share);
}

void add_default(Record& record, const Field& field) {
    if (field.default_kind != Field::Default::literal) return;
    const auto& text = field.default_literal;
    if (field.type == FieldType::boolean)
        record[field.name] = text == "true";
    else if (field.type == FieldType::integer || field.type == FieldType::money)
        record[field.name] = *json::parse_integer(text);
    else
        record[field.name] = text;
}

Result<> fill(Sprout& sprout) {
    const auto& bed = sprout.bed;
    auto& record = sprout.record;
    auto state = state_of(sprout);
    if (!state.empty()) record["state"] = state;
    if (!bed.rows.empty()) {
        for (const auto& [field, node] : bed.rows[sprout.index % bed.rows.size()]) {
            auto value = value_of(sprout, *field, node);
            if (!value) return wrong(bed, field->name + " " + value.error().message);
            record[field->name] = *std::move(value);
        }
    }
    for (const auto& maker : bed.makers) {
        if (!applies(sprout, maker, state)) continue;
        auto value = TRY(make_value(sprout, maker));
        if (!value.is_null()) record[maker.field->name] = std::move(value);
    }
    for (const auto& field : bed.collection->fields) {
        if (!field.writable() || record.contains(field.name)) continue;
        add_default(record, field);
        bool missing = field.required && !record.contains(field.name);
        if (missing) return wrong(bed, "gets no " + field.name + ", which is required");
    }
    return {};
}

// Stamps of when and by whom, and an id that sorts by it.
Result<> stamp(Sprout& sprout) {
    auto& record = sprout.record;
    auto& dice = sprout.garden.dice;
    auto now = sprout.garden.soil.now;
    auto created = now - std::chrono::minutes(dice.between(1, age_max * 24 * 60));
    if (const auto* given = record.if_contains("created_at"))
        created = TRY(parse_rfc3339(std::string(given->get_string())));
    record["created_at"] = format_rfc3339(created);
    record["updated_at"] = format_rfc3339(created);
    record["version"] = 1;
    record["id"] = make_id(dice, created);
    return {};
}

// Values that no two records share, as one text each; of records that lack one, nothing.
class Unlike {
public:
    explicit Unlike(const Collection& collection) : sets_(collection.unique) {
        for (const auto& field : collection.fields)
            if (field.unique) sets_.push_back({field.name});
    }

    bool is_new(const Record& record) const {
        for (const auto& set : sets_) {
            auto key = key_of(record, set);
            if (!key.empty() && seen_.contains(key)) return false;
        }
        return true;
    }
    void add(const Record& record) {
        for (const auto& set : sets_)
            seen_.insert(key_of(record, set));
    }

private:
    static std::string key_of(const Record& record, const std::vector<std::string>& set) {
        std::string key;
        for (const auto& field : set) {
            const auto* value = record.if_contains(field);
            if (!value) return "";
            key += field + "=" + bj::serialize(*value) + ";";
        }
        return key;
    }

    std::vector<std::vector<std::string>> sets_;
    std::set<std::string> seen_;
};

Result<Record> grow_one(Garden& garden, const Bed& bed, std::size_t index, const Unlike& unlike) {
    auto serial = garden.grown[bed.collection->name].size() + 1;
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        Sprout sprout{garden, bed, index, serial, {}};
        TRY(fill(sprout));
        if (!unlike.is_new(sprout.record)) continue;
        TRY(stamp(sprout));
        return std::move(sprout.record);
    }
    return wrong(bed, fmt::format("finds no record {} that is unlike the others: fewer of them, or more to "
                                  "choose from",
                                  index + 1));
}

Grown as_rows(const Bed& bed, const std::vector<Record>& all, std::size_t from) {
    Grown grown{.collection = bed.collection};
    std::set<std::string_view> used;
    for (std::size_t i = from; i < all.size(); ++i) {
        for (const auto& member : all[i])
            used.insert(member.key());
        grown.records.push_back(all[i]);
    }
    for (const auto& field : bed.collection->fields)
        if (used.contains(field.name)) grown.columns.push_back(field.name);
    return grown;
}

}  // namespace

Result<std::vector<Grown>> grow(const Seed& seed, const Model& model, const Soil& soil) {
    Garden garden{seed, model, soil, Dice(soil.number), {}};
    std::map<std::string, Unlike> unlike;
    std::vector<Grown> beds;
    for (const auto& bed : seed.beds) {
        const auto& name = bed.collection->name;
        auto& others = unlike.try_emplace(name, *bed.collection).first->second;
        auto from = garden.grown[name].size();
        for (std::size_t i = 0; i < bed.count; ++i) {
            auto record = TRY(grow_one(garden, bed, i, others));
            others.add(record);
            garden.grown[name].push_back(std::move(record));
        }
        beds.push_back(as_rows(bed, garden.grown[name], from));
    }
    return beds;
}

}  // namespace integreat::collections
