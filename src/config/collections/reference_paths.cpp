// SPDX-License-Identifier: Apache-2.0
#include "config/collections/reference_paths.h"

#include <algorithm>
#include <array>

#include "base/text/ascii.h"
#include "base/text/closest_match.h"
#include "config/collections/literals.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

constexpr std::array<std::string_view, 6> operations{"count", "sum", "avg", "min", "max", "wavg"};

// A segment of a path: "enrollments[student]" or "section".
struct Segment {
    std::string_view name;
    std::string_view reference;
    bool backward = false;
};

std::optional<Segment> parse_segment(std::string_view text) {
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
    return "uses the unknown field " + json::quoted(name) + " of " + collection.name +
           did_you_mean(name, names);
}

std::string unknown_collection(std::string_view name, const std::vector<CollectionSettings>& collections) {
    std::vector<std::string> names;
    for (const auto& collection : collections)
        names.push_back(collection.name);
    return "uses the unknown collection " + json::quoted(name) + did_you_mean(name, names);
}

struct StepResult {
    const CollectionSettings* collection = nullptr;
    CheckResult error;
};

// Finds the collection whose records refer to `here` by the field in brackets.
StepResult step_backward(const Segment& segment, const CollectionSettings& here,
                         const std::vector<CollectionSettings>& collections) {
    const auto* there = find_collection(collections, segment.name);
    if (!there) return {nullptr, unknown_collection(segment.name, collections)};
    const auto* field = find_field(*there, segment.reference);
    if (!field) return {nullptr, unknown_field(*there, segment.reference)};
    if (field->type == "reference" && field->to == here.name) return {there, std::nullopt};
    return {nullptr,
            "uses " + there->name + "[" + field->name + "], which is not a reference to " + here.name};
}

StepResult step_forward(const Segment& segment, const CollectionSettings& here,
                        const std::vector<CollectionSettings>& collections) {
    const auto* field = find_field(here, segment.name);
    if (!field) return {nullptr, unknown_field(here, segment.name)};
    if (field->type != "reference")
        return {nullptr, "continues after " + here.name + "." + field->name + ", which is not a reference"};
    const auto* there = find_collection(collections, field->to);
    if (!there) return {nullptr, "uses " + here.name + "." + field->name + ", whose collection is unknown"};
    return {there, std::nullopt};
}

CheckResult finish_path(Path& path, const Segment& last, const CollectionSettings& here) {
    const auto* field = find_field(here, last.name);
    if (last.backward) return "must end in a field of type user";
    if (!field) return unknown_field(here, last.name);
    if (!can_identify_user(*field)) {
        return "must end in a field of type user: " + here.name + "." + field->name + " is of type " +
               (field->type.empty() ? "unknown" : field->type);
    }
    path.end = field->name;
    path.end_is_list = field->type == "list";
    return path.steps.empty() ? CheckResult(
                                    "must contain a reference: for a field of the record itself "
                                    "write owner: " +
                                    field->name)
                              : CheckResult();
}

struct AggregateCall {
    std::string_view operation;
    std::string_view collection, reference;
    std::string_view value, weight;
};

// op "(" collection "[" reference "]" [ "." value [ "," weight ] ] ")"
std::optional<AggregateCall> parse_call(std::string_view text) {
    text = trim(text, " ");
    auto open = text.find('(');
    if (open == text.npos || !text.ends_with(')')) return std::nullopt;
    AggregateCall call{.operation = trim(text.substr(0, open), " ")};
    auto inner = trim(text.substr(open + 1, text.size() - open - 2), " ");
    auto comma = inner.find(',');
    if (comma != inner.npos) call.weight = trim(inner.substr(comma + 1), " ");
    if (comma != inner.npos && call.weight.empty()) return std::nullopt;
    inner = trim(inner.substr(0, comma), " ");
    auto dot = inner.find('.');
    if (dot != inner.npos) call.value = inner.substr(dot + 1);
    if (dot != inner.npos && call.value.empty()) return std::nullopt;
    auto segment = parse_segment(inner.substr(0, dot));
    if (!segment || !segment->backward) return std::nullopt;
    call.collection = segment->name;
    call.reference = segment->reference;
    return call;
}

CheckResult check_number(const CollectionSettings& there, std::string_view name) {
    const auto* field = find_field(there, name);
    if (!field) return unknown_field(there, name);
    bool number = field->type == "integer" || field->type == "decimal" || field->type == "money";
    if (number && !is_system_field(name)) return std::nullopt;
    return "aggregates " + there.name + "." + std::string(name) + ", which is not a number";
}

CheckResult check_parts(const AggregateCall& call, const CollectionSettings& there) {
    if (call.operation == "count")
        return call.value.empty() && call.weight.empty() ? CheckResult() : "counts records: remove the field";
    if (call.value.empty())
        return "needs a field: " + std::string(call.operation) + "(" + there.name + "[" +
               std::string(call.reference) + "].FIELD)";
    bool weighted = call.operation == "wavg";
    if (weighted == call.weight.empty())
        return weighted ? "needs a weight: wavg(" + there.name + "[…].value, weight)"
                        : "cannot have a weight";
    if (auto error = check_number(there, call.value)) return error;
    return weighted ? check_number(there, call.weight) : CheckResult();
}

// Checks that `field` can store the result.
CheckResult check_aggregate_result(const FieldSettings& field, const AggregateCall& call,
                                   const CollectionSettings& there) {
    if (call.operation == "count")
        return field.type == "integer" ? CheckResult() : "is a number of records: make the field an integer";
    const auto* value = find_field(there, call.value);
    bool average = call.operation == "avg" || call.operation == "wavg";
    bool money = value->type == "money";
    if (money != (field.type == "money"))
        return money ? "is money: make the field money" : "is a number, not money";
    if (money) {
        if (money_currency(*value) != money_currency(field))
            return "mixes " + money_currency(*value) + " and " + money_currency(field);
        return average ? CheckResult("is an average of money, which has no fractions: use sum and count")
                       : CheckResult();
    }
    bool fractions = average || value->type == "decimal";
    if (fractions && field.type == "integer") return "may have fractions: make the field a decimal";
    return std::nullopt;
}

}  // namespace

PathResult resolve_path(std::string_view text, const CollectionSettings& from,
                        const std::vector<CollectionSettings>& collections) {
    PathResult result;
    result.path.text = text;
    const auto* here = &from;
    auto parts = split(text, '.');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto segment = parse_segment(parts[i]);
        if (!segment) {
            result.error =
                "must be names separated by dots, `section.professor` or "
                "`enrollments[student].section.professor`, not " +
                json::quoted(text);
            return result;
        }
        if (i + 1 == parts.size()) {
            result.error = finish_path(result.path, *segment, *here);
            return result;
        }
        if (i == max_path_steps) break;
        auto step = segment->backward ? step_backward(*segment, *here, collections)
                                      : step_forward(*segment, *here, collections);
        if (step.error) {
            result.error = std::move(step.error);
            return result;
        }
        here = step.collection;
        result.path.steps.push_back(
            {.backward = segment->backward,
             .collection = here->name,
             .field = std::string(segment->backward ? segment->reference : segment->name)});
    }
    result.error = "must have at most " + std::to_string(max_path_steps) + " steps";
    return result;
}

bool is_rollup(std::string_view computed) {
    return computed.find('[') != computed.npos;
}

RollupResult resolve_rollup(const FieldSettings& field, const CollectionSettings& collection,
                            const std::vector<CollectionSettings>& collections) {
    auto call = parse_call(field.computed);
    if (!call)
        return {{}, "must be like avg(ratings[assessment].score), not " + json::quoted(field.computed)};
    if (std::find(operations.begin(), operations.end(), call->operation) == operations.end()) {
        std::vector<std::string> names(operations.begin(), operations.end());
        return {{},
                "uses the unknown function " + json::quoted(call->operation) +
                    " (available: count, sum, avg, min, "
                    "max, wavg)" +
                    did_you_mean(call->operation, names)};
    }
    auto step = step_backward({.name = call->collection, .reference = call->reference, .backward = true},
                              collection, collections);
    if (step.error) return {{}, step.error};
    if (auto error = check_parts(*call, *step.collection)) return {{}, error};
    if (auto error = check_aggregate_result(field, *call, *step.collection)) return {{}, error};
    return {{.operation = std::string(call->operation),
             .collection = std::string(call->collection),
             .reference = std::string(call->reference),
             .value = std::string(call->value),
             .weight = std::string(call->weight)},
            std::nullopt};
}

}  // namespace integreat::config
