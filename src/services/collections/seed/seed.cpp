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

constexpr int record_attempts_max = 200;  // Attempts to generate a unique record.
constexpr std::int64_t age_max = 120;     // Maximum age in days of records without created_at.

Error batch_error(const SeedBatch& batch, std::string message) {
    return {Fault::invalid, fmt::format("{}: {} {}", batch.location, batch.collection->name, message), ""};
}

std::string choose_state(RecordDraft& draft) {
    const auto& collection = *draft.batch.collection;
    const auto& states = draft.batch.states;
    if (collection.initial_state.empty()) return "";
    if (!draft.batch.rows.empty()) {
        for (const auto& [field, node] : draft.batch.rows[draft.index % draft.batch.rows.size()])
            if (field->name == "state") return node.text;
    }
    if (states.empty()) return collection.initial_state;
    if (draft.index == 0) return states.front().first;
    std::int64_t sum = 0;
    for (const auto& [state, weight] : states)
        sum += weight;
    auto draw = draft.generator.rng.between(1, sum);
    for (const auto& [state, weight] : states) {
        draw -= weight;
        if (draw <= 0) return state;
    }
    return states.back().first;
}

bool applies(RecordDraft& draft, const FieldGenerator& field_generator, const std::string& state) {
    if (draft.record.contains(field_generator.field->name)) return false;  // Set by an explicit row.
    bool state_matches = field_generator.states.empty() ||
                         std::find(field_generator.states.begin(), field_generator.states.end(), state) !=
                             field_generator.states.end();
    return state_matches &&
           (field_generator.share >= 100 || draft.generator.rng.between(1, 100) <= field_generator.share);
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

Result<> fill_record(RecordDraft& draft) {
    const auto& batch = draft.batch;
    auto& record = draft.record;
    auto state = choose_state(draft);
    if (!state.empty()) record["state"] = state;
    if (!batch.rows.empty()) {
        for (const auto& [field, node] : batch.rows[draft.index % batch.rows.size()]) {
            auto value = resolve_value(draft, *field, node);
            if (!value) return batch_error(batch, field->name + " " + value.error().message);
            record[field->name] = *std::move(value);
        }
    }
    for (const auto& field_generator : batch.generators) {
        if (!applies(draft, field_generator, state)) continue;
        auto value = TRY(generate_value(draft, field_generator));
        if (!value.is_null()) record[field_generator.field->name] = std::move(value);
    }
    for (const auto& field : batch.collection->fields) {
        if (!field.writable() || record.contains(field.name)) continue;
        add_default(record, field);
        bool missing = field.required && !record.contains(field.name);
        if (missing) return batch_error(batch, "has no value for the required field " + field.name);
    }
    return {};
}

// Sets the timestamps, the version, and an ID that sorts by creation time.
Result<> set_system_fields(RecordDraft& draft) {
    auto& record = draft.record;
    auto& rng = draft.generator.rng;
    auto now = draft.generator.context.now;
    auto created = now - std::chrono::minutes(rng.between(1, age_max * 24 * 60));
    if (const auto* given = record.if_contains("created_at"))
        created = TRY(parse_rfc3339(std::string(given->get_string())));
    record["created_at"] = format_rfc3339(created);
    record["updated_at"] = format_rfc3339(created);
    record["version"] = 1;
    record["id"] = make_record_id(rng, created);
    return {};
}

// Detects duplicate values of unique sets of fields. A record without one of the fields is not compared.
class UniquenessCheck {
public:
    explicit UniquenessCheck(const Collection& collection) : sets_(collection.unique) {
        for (const auto& field : collection.fields)
            if (field.unique) sets_.push_back({field.name});
    }

    bool is_new(const Record& record) const {
        for (const auto& set : sets_) {
            auto key = make_key(record, set);
            if (!key.empty() && keys_.contains(key)) return false;
        }
        return true;
    }
    void add(const Record& record) {
        for (const auto& set : sets_)
            keys_.insert(make_key(record, set));
    }

private:
    static std::string make_key(const Record& record, const std::vector<std::string>& set) {
        std::string key;
        for (const auto& field : set) {
            const auto* value = record.if_contains(field);
            if (!value) return "";
            key += field + "=" + bj::serialize(*value) + ";";
        }
        return key;
    }

    std::vector<std::vector<std::string>> sets_;
    std::set<std::string> keys_;
};

Result<Record> generate_record(SeedGenerator& generator, const SeedBatch& batch, std::size_t index,
                               const UniquenessCheck& uniqueness) {
    auto serial = generator.records[batch.collection->name].size() + 1;
    for (int attempt = 0; attempt < record_attempts_max; ++attempt) {
        RecordDraft draft{generator, batch, index, serial, {}};
        TRY(fill_record(draft));
        if (!uniqueness.is_new(draft.record)) continue;
        TRY(set_system_fields(draft));
        return std::move(draft.record);
    }
    return batch_error(batch,
                       fmt::format("record {} is not unique: reduce count or add more choices", index + 1));
}

GeneratedRows make_rows(const SeedBatch& batch, const std::vector<Record>& all, std::size_t from) {
    GeneratedRows rows{.collection = batch.collection};
    std::set<std::string_view> used;
    for (std::size_t i = from; i < all.size(); ++i) {
        for (const auto& member : all[i])
            used.insert(member.key());
        rows.records.push_back(all[i]);
    }
    for (const auto& field : batch.collection->fields)
        if (used.contains(field.name)) rows.columns.push_back(field.name);
    return rows;
}

}  // namespace

Result<std::vector<GeneratedRows>> generate_seed(const Seed& seed, const Model& model,
                                                 const SeedContext& context) {
    SeedGenerator generator{seed, model, context, Rng(context.rng_seed), {}};
    std::map<std::string, UniquenessCheck> checkers;
    std::vector<GeneratedRows> batches;
    for (const auto& batch : seed.batches) {
        const auto& name = batch.collection->name;
        auto& checker = checkers.try_emplace(name, *batch.collection).first->second;
        auto from = generator.records[name].size();
        for (std::size_t i = 0; i < batch.count; ++i) {
            auto record = TRY(generate_record(generator, batch, i, checker));
            checker.add(record);
            generator.records[name].push_back(std::move(record));
        }
        batches.push_back(make_rows(batch, generator.records[name], from));
    }
    return batches;
}

}  // namespace integreat::collections
