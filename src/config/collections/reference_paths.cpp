// SPDX-License-Identifier: Apache-2.0
#include "config/collections/reference_paths.h"

#include <algorithm>
#include <array>

#include "base/text/closest_match.h"
#include "config/collections/literals.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

constexpr std::array<std::string_view, 6> operations{"count", "sum", "avg", "min", "max", "wavg"};

// "enrollments[student]" or "section".
struct Segment {
    std::string_view name;
    std::string_view reference;
    bool backward = false;
};

std::optional<Segment> read_segment(std::string_view text) {
    auto bracket = text.find('[');
    Segment segment{.name = text.substr(0, bracket)};
    if (bracket != text.npos) {
        if (!text.ends_with(']')) return std::nullopt;
        segment.backward = true;
        segment.reference = text.substr(bracket + 1, text.size() - bracket - 2);
        if (check_identifier(segment.reference)) return std::nullopt;
    }
    return check_identifier(segment.name) ? std::nullopt : std::optional(segment);
}

std::string unknown_field(const CollectionSettings& collection, std::string_view name) {
    auto names = field_names(collection);
    return "names " + json::quoted(name) + ", which " + collection.name + " has not" +
           did_you_mean(name, names);
}

std::string unknown_collection(std::string_view name, const std::vector<CollectionSettings>& collections) {
    std::vector<std::string> names;
    for (const auto& collection : collections)
        names.push_back(collection.name);
    return "names the unknown collection " + json::quoted(name) + did_you_mean(name, names);
}

struct Stop {
    const CollectionSettings* collection = nullptr;
    Complaint complaint;
};

// The collection whose records point at `here` by the field in brackets.
Stop arrive_backward(const Segment& segment, const CollectionSettings& here,
                     const std::vector<CollectionSettings>& collections) {
    const auto* there = find_collection(collections, segment.name);
    if (!there) return {nullptr, unknown_collection(segment.name, collections)};
    const auto* field = find_field(*there, segment.reference);
    if (!field) return {nullptr, unknown_field(*there, segment.reference)};
    if (field->type == "reference" && field->to == here.name) return {there, std::nullopt};
    return {nullptr, "goes backwards over " + there->name + "." + field->name +
                         ", which is not a reference to " + here.name};
}

Stop arrive_forward(const Segment& segment, const CollectionSettings& here,
                    const std::vector<CollectionSettings>& collections) {
    const auto* field = find_field(here, segment.name);
    if (!field) return {nullptr, unknown_field(here, segment.name)};
    if (field->type != "reference")
        return {nullptr, "goes on after " + here.name + "." + field->name + ", which is not a reference"};
    const auto* there = find_collection(collections, field->to);
    if (!there) return {nullptr, "goes over " + here.name + "." + field->name + ", which leads nowhere"};
    return {there, std::nullopt};
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    while (true) {
        auto dot = text.find('.');
        parts.push_back(text.substr(0, dot));
        if (dot == text.npos) return parts;
        text.remove_prefix(dot + 1);
    }
}

Complaint finish_path(Path& path, const Segment& last, const CollectionSettings& here) {
    const auto* field = find_field(here, last.name);
    if (last.backward) return "must end in a field that holds a user";
    if (!field) return unknown_field(here, last.name);
    if (!names_a_user(*field)) {
        return "must end in a field of type user: " + here.name + "." + field->name + " is of type " +
               (field->type.empty() ? "unknown" : field->type);
    }
    path.end = field->name;
    path.end_is_list = field->type == "list";
    return path.steps.empty() ? Complaint(
                                    "needs a reference to go through: for a field of the record itself "
                                    "write owner: " +
                                    field->name)
                              : Complaint();
}

struct Call {
    std::string_view operation;
    std::string_view collection, reference;
    std::string_view value, weight;
};

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

// op "(" collection "[" reference "]" [ "." value [ "," weight ] ] ")"
std::optional<Call> read_call(std::string_view text) {
    text = trimmed(text);
    auto open = text.find('(');
    if (open == text.npos || !text.ends_with(')')) return std::nullopt;
    Call call{.operation = trimmed(text.substr(0, open))};
    auto inner = trimmed(text.substr(open + 1, text.size() - open - 2));
    auto comma = inner.find(',');
    if (comma != inner.npos) call.weight = trimmed(inner.substr(comma + 1));
    if (comma != inner.npos && call.weight.empty()) return std::nullopt;
    inner = trimmed(inner.substr(0, comma));
    auto dot = inner.find('.');
    if (dot != inner.npos) call.value = inner.substr(dot + 1);
    if (dot != inner.npos && call.value.empty()) return std::nullopt;
    auto segment = read_segment(inner.substr(0, dot));
    if (!segment || !segment->backward) return std::nullopt;
    call.collection = segment->name;
    call.reference = segment->reference;
    return call;
}

Complaint check_number(const CollectionSettings& there, std::string_view name) {
    const auto* field = find_field(there, name);
    if (!field) return unknown_field(there, name);
    bool number = field->type == "integer" || field->type == "decimal" || field->type == "money";
    if (number && !is_system_field(name)) return std::nullopt;
    return "adds up " + there.name + "." + std::string(name) + ", which is not a number";
}

Complaint check_parts(const Call& call, const CollectionSettings& there) {
    if (call.operation == "count")
        return call.value.empty() && call.weight.empty() ? Complaint()
                                                         : "counts records, not a field of them";
    if (call.value.empty())
        return "must say which field: " + std::string(call.operation) + "(" + there.name + "[" +
               std::string(call.reference) + "].FIELD)";
    bool weighted = call.operation == "wavg";
    if (weighted == call.weight.empty())
        return weighted ? "needs a weight: wavg(" + there.name + "[…].value, weight)" : "takes no weight";
    if (auto complaint = check_number(there, call.value)) return complaint;
    return weighted ? check_number(there, call.weight) : Complaint();
}

// Can `field` hold what comes out of the records' `value`?
Complaint check_result(const FieldSettings& field, const Call& call, const CollectionSettings& there) {
    if (call.operation == "count")
        return field.type == "integer" ? Complaint() : "gives a number of records: make the field an integer";
    const auto* value = find_field(there, call.value);
    bool average = call.operation == "avg" || call.operation == "wavg";
    bool money = value->type == "money";
    if (money != (field.type == "money"))
        return money ? "gives money: make the field money" : "gives a number, not money";
    auto currency = [](const FieldSettings& of) {
        return of.currency.empty() ? currency_default : std::string_view(of.currency);
    };
    if (money) {
        if (currency(*value) != currency(field))
            return "mixes " + std::string(currency(*value)) + " and " + std::string(currency(field));
        return average ? Complaint("averages money, which has no fractions: use sum and count") : Complaint();
    }
    bool fractions = average || value->type == "decimal";
    if (fractions && field.type == "integer") return "may have fractions: make the field a decimal";
    return std::nullopt;
}

}  // namespace

PathReading resolve_path(std::string_view text, const CollectionSettings& from,
                         const std::vector<CollectionSettings>& collections) {
    PathReading reading;
    reading.path.text = text;
    const auto* here = &from;
    auto parts = split(text);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto segment = read_segment(parts[i]);
        if (!segment) {
            reading.complaint =
                "must be names with dots between, `section.professor` or "
                "`enrollments[student].section.professor`, not " +
                json::quoted(text);
            return reading;
        }
        if (i + 1 == parts.size()) {
            reading.complaint = finish_path(reading.path, *segment, *here);
            return reading;
        }
        if (i == path_steps_max) break;
        auto stop = segment->backward ? arrive_backward(*segment, *here, collections)
                                      : arrive_forward(*segment, *here, collections);
        if (stop.complaint) {
            reading.complaint = std::move(stop.complaint);
            return reading;
        }
        here = stop.collection;
        reading.path.steps.push_back(
            {.backward = segment->backward,
             .collection = here->name,
             .field = std::string(segment->backward ? segment->reference : segment->name)});
    }
    reading.complaint = "must have at most " + std::to_string(path_steps_max) + " steps";
    return reading;
}

bool is_rollup(std::string_view computed) {
    return computed.find('[') != computed.npos;
}

RollupReading resolve_rollup(const FieldSettings& field, const CollectionSettings& of,
                             const std::vector<CollectionSettings>& collections) {
    auto call = read_call(field.computed);
    if (!call)
        return {{}, "must be like avg(ratings[assessment].score), not " + json::quoted(field.computed)};
    if (std::find(operations.begin(), operations.end(), call->operation) == operations.end()) {
        std::vector<std::string> names(operations.begin(), operations.end());
        return {{},
                "uses the unknown " + json::quoted(call->operation) +
                    " (there are count, sum, avg, min, "
                    "max and wavg)" +
                    did_you_mean(call->operation, names)};
    }
    auto stop = arrive_backward({.name = call->collection, .reference = call->reference, .backward = true},
                                of, collections);
    if (stop.complaint) return {{}, stop.complaint};
    if (auto complaint = check_parts(*call, *stop.collection)) return {{}, complaint};
    if (auto complaint = check_result(field, *call, *stop.collection)) return {{}, complaint};
    return {{.operation = std::string(call->operation),
             .collection = std::string(call->collection),
             .reference = std::string(call->reference),
             .value = std::string(call->value),
             .weight = std::string(call->weight)},
            std::nullopt};
}

}  // namespace integreat::config
