// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/protocol/json_body.h"

#include <fmt/format.h>

#include "base/text/ascii.h"
#include "json/value/parse.h"

namespace integreat::cloud {

namespace json = boost::json;

namespace {

constexpr std::size_t max_body_bytes =
    16 * 1024 * 1024;  // The largest body is a mail; each operation has its own limit.

std::string member_name(std::string_view name) {
    std::string lowered(name);
    if (!lowered.empty()) lowered[0] = to_lower(lowered[0]);
    return lowered;
}

AwsError wrong_type(std::string_view name, std::string_view expected) {
    return {.status = 400,
            .code = "SerializationException",
            .message = fmt::format("{} must be {}", name, expected)};
}

const json::value* find_member(const json::object& body, std::string_view name) {
    const auto* value = body.if_contains(name);
    return value && value->is_null() ? nullptr : value;
}

}  // namespace

AwsError validation_error(std::string message) {
    return {.status = 400, .code = "ValidationException", .message = std::move(message)};
}

AwsResult<json::object> parse_json_body(const OperationContext& context) {
    if (context.body.empty()) return json::object();
    auto body = integreat::json::parse_object(context.body, {.max_bytes = max_body_bytes});
    if (body) return std::move(*body);
    return AwsError{.status = 400, .code = "SerializationException", .message = body.error().message};
}

AwsResult<std::string> optional_text(const json::object& body, std::string_view name, std::size_t max_bytes) {
    const auto* value = find_member(body, name);
    if (!value) return std::string();
    if (!value->is_string()) return wrong_type(name, "a string");
    if (value->get_string().size() <= max_bytes) return std::string(value->get_string());
    return validation_error(
        fmt::format("1 validation error detected: Value at '{}' failed to satisfy constraint: "
                    "Member must have length less than or equal to {}",
                    member_name(name), max_bytes));
}

AwsResult<std::string> required_text(const json::object& body, std::string_view name, std::size_t max_bytes) {
    if (!find_member(body, name)) {
        return validation_error(
            fmt::format("1 validation error detected: Value null at '{}' failed to satisfy "
                        "constraint: Member must not be null",
                        member_name(name)));
    }
    auto text = TRY(optional_text(body, name, max_bytes));
    if (!text.empty()) return text;
    return validation_error(
        fmt::format("1 validation error detected: Value '' at '{}' failed to satisfy "
                    "constraint: Member must have length greater than or equal to 1",
                    member_name(name)));
}

AwsResult<bool> optional_flag(const json::object& body, std::string_view name, bool default_value) {
    const auto* value = find_member(body, name);
    if (!value) return default_value;
    if (!value->is_bool()) return wrong_type(name, "true or false");
    return value->get_bool();
}

AwsResult<const json::object*> optional_object(const json::object& body, std::string_view name) {
    const auto* value = find_member(body, name);
    if (!value) return nullptr;
    if (!value->is_object()) return wrong_type(name, "an object");
    return &value->get_object();
}

AwsResult<const json::array*> optional_array(const json::object& body, std::string_view name) {
    const auto* value = find_member(body, name);
    if (!value) return nullptr;
    if (!value->is_array()) return wrong_type(name, "a list");
    return &value->get_array();
}

}  // namespace integreat::cloud
