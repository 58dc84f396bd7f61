// SPDX-License-Identifier: Apache-2.0
#include "cloud/iam/query_parameters.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace integreat::iam {

using cloud::AwsError;
using cloud::Exchange;
using cloud::Outcome;

namespace {

bool is_name_character(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("+=,.@-_").find(static_cast<char>(c)) != std::string_view::npos;
}

std::string in_lower_camel(std::string_view name) {
    std::string lowered(name);
    if (!lowered.empty() && lowered[0] >= 'A' && lowered[0] <= 'Z')
        lowered[0] = static_cast<char>(lowered[0] + 32);
    return lowered;
}

std::optional<AwsError> check(std::string_view name, std::string_view value, const TextRule& rule) {
    auto mistake = [&](std::string constraint) {
        return invalid(
            fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: "
                        "Member must {}",
                        value.substr(0, 256), in_lower_camel(name), constraint));
    };
    if (value.size() < rule.length_min)
        return mistake(fmt::format("have length greater than or equal to {}", rule.length_min));
    if (value.size() > rule.length_max)
        return mistake(fmt::format("have length less than or equal to {}", rule.length_max));
    if (rule.is_name && !std::ranges::all_of(value, is_name_character))
        return mistake("satisfy regular expression pattern: [\\w+=,.@-]*");
    return std::nullopt;
}

}  // namespace

AwsError invalid(std::string message) {
    return {.status = 400, .code = "ValidationError", .message = std::move(message)};
}
AwsError no_such_entity(std::string message) {
    return {.status = 404, .code = "NoSuchEntity", .message = std::move(message)};
}
AwsError entity_exists(std::string message) {
    return {.status = 409, .code = "EntityAlreadyExists", .message = std::move(message)};
}
AwsError delete_conflict(std::string message) {
    return {.status = 409, .code = "DeleteConflict", .message = std::move(message)};
}
AwsError limit_exceeded(std::string message) {
    return {.status = 409, .code = "LimitExceeded", .message = std::move(message)};
}

Outcome<std::string> required(const Exchange& exchange, std::string_view name, const TextRule& rule) {
    auto value = exchange.parameter(name);
    if (!value) {
        return invalid(
            fmt::format("1 validation error detected: Value null at '{}' failed to satisfy constraint: "
                        "Member must not be null",
                        in_lower_camel(name)));
    }
    if (auto error = check(name, *value, rule)) return *std::move(error);
    return std::string(*value);
}

Outcome<std::string> optional(const Exchange& exchange, std::string_view name, const TextRule& rule) {
    auto value = exchange.parameter(name).value_or("");
    if (auto error = check(name, value, rule); error && !value.empty()) return *std::move(error);
    return std::string(value);
}

Outcome<std::int64_t> optional_number(const Exchange& exchange, std::string_view name, std::int64_t otherwise,
                                      std::int64_t least, std::int64_t most) {
    auto text = exchange.parameter(name);
    if (!text || text->empty()) return otherwise;
    std::int64_t number = 0;
    auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
    bool whole = failure == std::errc() && end == text->data() + text->size();
    if (whole && number >= least && number <= most) return number;
    return invalid(
        fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: "
                    "Member must have value {} than or equal to {}",
                    text->substr(0, 32), in_lower_camel(name), whole && number > most ? "less" : "greater",
                    whole && number > most ? most : least));
}

std::vector<std::string> members(const Exchange& exchange, const std::string& name) {
    std::vector<std::string> values;
    for (int i = 1;; ++i) {
        auto value = exchange.parameter(name + ".member." + std::to_string(i));
        if (!value) return values;
        values.emplace_back(*value);
    }
}

std::string format_date(Time time) {
    return format_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
}

}  // namespace integreat::iam
