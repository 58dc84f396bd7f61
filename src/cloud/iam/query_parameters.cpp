// SPDX-License-Identifier: Apache-2.0
#include "cloud/iam/query_parameters.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text/ascii.h"

namespace integreat::iam {

using cloud::AwsError;
using cloud::AwsResult;
using cloud::OperationContext;

namespace {

bool is_name_character(unsigned char c) {
    return is_alnum(static_cast<char>(c)) ||
           std::string_view("+=,.@-_").find(static_cast<char>(c)) != std::string_view::npos;
}

std::string to_lower_camel(std::string_view name) {
    std::string lowered(name);
    if (!lowered.empty()) lowered[0] = to_lower(lowered[0]);
    return lowered;
}

std::optional<AwsError> check_rule(std::string_view name, std::string_view value, const ParameterRule& rule) {
    auto violation = [&](std::string constraint) {
        return invalid(
            fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: "
                        "Member must {}",
                        value.substr(0, 256), to_lower_camel(name), constraint));
    };
    if (value.size() < rule.min_length)
        return violation(fmt::format("have length greater than or equal to {}", rule.min_length));
    if (value.size() > rule.max_length)
        return violation(fmt::format("have length less than or equal to {}", rule.max_length));
    if (rule.is_name && !std::ranges::all_of(value, is_name_character))
        return violation("satisfy regular expression pattern: [\\w+=,.@-]*");
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

AwsResult<std::string> required_parameter(const OperationContext& context, std::string_view name,
                                          const ParameterRule& rule) {
    auto value = context.parameter(name);
    if (!value) {
        return invalid(
            fmt::format("1 validation error detected: Value null at '{}' failed to satisfy constraint: "
                        "Member must not be null",
                        to_lower_camel(name)));
    }
    if (auto error = check_rule(name, *value, rule)) return *std::move(error);
    return std::string(*value);
}

AwsResult<std::string> optional_parameter(const OperationContext& context, std::string_view name,
                                          const ParameterRule& rule) {
    auto value = context.parameter(name).value_or("");
    if (auto error = check_rule(name, value, rule); error && !value.empty()) return *std::move(error);
    return std::string(value);
}

AwsResult<std::int64_t> optional_integer(const OperationContext& context, std::string_view name,
                                         std::int64_t default_value, std::int64_t min, std::int64_t max) {
    auto text = context.parameter(name);
    if (!text || text->empty()) return default_value;
    std::int64_t number = 0;
    auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
    bool is_integer = failure == std::errc() && end == text->data() + text->size();
    if (is_integer && number >= min && number <= max) return number;
    return invalid(
        fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: "
                    "Member must have value {} than or equal to {}",
                    text->substr(0, 32), to_lower_camel(name),
                    is_integer && number > max ? "less" : "greater", is_integer && number > max ? max : min));
}

std::vector<std::string> list_parameter(const OperationContext& context, const std::string& name) {
    std::vector<std::string> values;
    for (int i = 1;; ++i) {
        auto value = context.parameter(name + ".member." + std::to_string(i));
        if (!value) return values;
        values.emplace_back(*value);
    }
}

std::string format_date(Time time) {
    return format_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
}

}  // namespace integreat::iam
