// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/denial_log.h"

#include <algorithm>

#include "http/message/problem_catalogue.h"
#include "json/value/writer.h"

namespace integreat::gateway {

namespace {

constexpr std::size_t text_bytes_max = 1'000;
constexpr std::size_t facts_max = 20;

void truncate_text(std::string& text) {
    if (text.size() > text_bytes_max) text.resize(text_bytes_max);
}

void truncate_record(DenialRecord& record) {
    for (auto* text : {&record.path, &record.caller, &record.cause, &record.decision.rule})
        truncate_text(*text);
    auto& facts = record.decision.facts;
    if (facts.size() > facts_max) facts.resize(facts_max);
    for (auto& [name, value] : facts) {
        truncate_text(name);
        truncate_text(value);
    }
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
    if (out.back() != '{') out += ',';
    json::append_json(out, name);
    out += ':';
    json::append_json(out, value);
}

}  // namespace

DenialLog::DenialLog(std::size_t count_max) : per_shard_(std::max<std::size_t>(count_max / shard_count, 1)) {}

Synchronized<DenialLog::Shard>& DenialLog::find_shard(std::string_view request_id) {
    return shards_[std::hash<std::string_view>()(request_id) % shard_count];
}

void DenialLog::add(DenialRecord record) {
    truncate_record(record);
    auto kept = std::make_shared<const DenialRecord>(std::move(record));
    auto locked = find_shard(kept->request_id).lock();
    if (locked->ring.size() < per_shard_) {
        locked->ring.push_back(kept);
    } else {
        auto& oldest = locked->ring[locked->next];
        auto found = locked->by_id.find(oldest->request_id);
        if (found != locked->by_id.end() && found->second == oldest) locked->by_id.erase(found);
        oldest = kept;
        locked->next = (locked->next + 1) % per_shard_;
    }
    locked->by_id.erase(kept->request_id);  // The key is a view of the record it maps to.
    locked->by_id.emplace(kept->request_id, kept);
}

std::optional<DenialRecord> DenialLog::find(std::string_view request_id) {
    auto locked = find_shard(request_id).lock();
    auto found = locked->by_id.find(request_id);
    if (found == locked->by_id.end()) return std::nullopt;
    return *found->second;
}

std::size_t DenialLog::size() {
    std::size_t count = 0;
    for (auto& shard : shards_)
        count += shard.lock()->ring.size();
    return count;
}

std::string explain(const DenialRecord& record) {
    std::string text = record.request_id + "  " + format_rfc3339(record.time) + "\n";
    text += record.method + " " + record.path + " by " + record.caller + " got the response " +
            std::to_string(record.status) + " " + record.decision.type + ".\n";
    text += "Denied by:   " + record.decision.stage +
            (record.route.empty() ? "" : ", route " + record.route) + "\n";
    text += "Rule:        " + record.decision.rule + "\n";
    for (const auto& [name, value] : record.decision.facts)
        text += "  " + name + " = " + value + "\n";
    if (!record.cause.empty()) text += "Cause:       " + record.cause + "\n";
    if (const auto* entry = http::find_problem(record.decision.type)) {
        text += "Meaning:     " + std::string(entry->meaning) + "\n";
        text += "What to do:  " + std::string(entry->remedy) + "\n";
    }
    return text;
}

std::string to_json(const DenialRecord& record) {
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
