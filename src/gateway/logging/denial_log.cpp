// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/denial_log.h"

#include <algorithm>

#include "http/message/problem_catalogue.h"
#include "json/value/writer.h"

namespace integreat::gateway {

namespace {

constexpr std::size_t text_bytes_max = 1'000;
constexpr std::size_t facts_max = 20;

void shorten(std::string& text) {
    if (text.size() > text_bytes_max) text.resize(text_bytes_max);
}

void shorten(DecisionRecord& record) {
    for (auto* text : {&record.path, &record.caller, &record.cause, &record.decision.rule})
        shorten(*text);
    auto& facts = record.decision.facts;
    if (facts.size() > facts_max) facts.resize(facts_max);
    for (auto& [name, value] : facts) {
        shorten(name);
        shorten(value);
    }
}

void append_member(std::string& to, std::string_view name, std::string_view value) {
    if (to.back() != '{') to += ',';
    json::append_json(to, name);
    to += ':';
    json::append_json(to, value);
}

}  // namespace

Decisions::Decisions(std::size_t count_max)
    : per_shard_(std::max<std::size_t>(count_max / shards_count, 1)) {}

Guarded<Decisions::Shard>& Decisions::shard_of(std::string_view request_id) {
    return shards_[std::hash<std::string_view>()(request_id) % shards_count];
}

void Decisions::add(DecisionRecord record) {
    shorten(record);
    auto kept = std::make_shared<const DecisionRecord>(std::move(record));
    auto shard = shard_of(kept->request_id).lock();
    if (shard->ring.size() < per_shard_) {
        shard->ring.push_back(kept);
    } else {
        auto& oldest = shard->ring[shard->next];
        auto found = shard->by_id.find(oldest->request_id);
        if (found != shard->by_id.end() && found->second == oldest) shard->by_id.erase(found);
        oldest = kept;
        shard->next = (shard->next + 1) % per_shard_;
    }
    shard->by_id.erase(kept->request_id);  // The key is a view of the record it leads to.
    shard->by_id.emplace(kept->request_id, kept);
}

std::optional<DecisionRecord> Decisions::find(std::string_view request_id) {
    auto shard = shard_of(request_id).lock();
    auto found = shard->by_id.find(request_id);
    if (found == shard->by_id.end()) return std::nullopt;
    return *found->second;
}

std::size_t Decisions::size() {
    std::size_t count = 0;
    for (auto& shard : shards_)
        count += shard.lock()->ring.size();
    return count;
}

std::string explain(const DecisionRecord& record) {
    std::string text = record.request_id + "  " + format_rfc3339(record.time) + "\n";
    text += record.method + " " + record.path + " by " + record.caller + " was answered " +
            std::to_string(record.status) + " " + record.decision.type + ".\n";
    text += "Refused by:  " + record.decision.stage +
            (record.route.empty() ? "" : ", route " + record.route) + "\n";
    text += "Rule:        " + record.decision.rule + "\n";
    for (const auto& [name, value] : record.decision.facts)
        text += "  " + name + " = " + value + "\n";
    if (!record.cause.empty()) text += "Cause:       " + record.cause + "\n";
    if (const auto* kind = http::find_problem(record.decision.type)) {
        text += "Meaning:     " + std::string(kind->meaning) + "\n";
        text += "What to do:  " + std::string(kind->remedy) + "\n";
    }
    return text;
}

std::string decision_json(const DecisionRecord& record) {
    std::string json = "{";
    append_member(json, "request_id", record.request_id);
    append_member(json, "time", format_rfc3339(record.time));
    append_member(json, "tenant", record.tenant.text);
    append_member(json, "route", record.route);
    append_member(json, "method", record.method);
    append_member(json, "path", record.path);
    append_member(json, "caller", record.caller);
    json += ",\"status\":";
    json::append_number(json, record.status);
    append_member(json, "stage", record.decision.stage);
    append_member(json, "type", record.decision.type);
    append_member(json, "rule", record.decision.rule);
    json += ",\"facts\":{";
    for (const auto& [name, value] : record.decision.facts)
        append_member(json, name, value);
    json += '}';
    append_member(json, "cause", record.cause);
    append_member(json, "explanation", explain(record));
    return json += '}';
}

}  // namespace integreat::gateway
