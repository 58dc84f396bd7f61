// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/protocol/json_body.h"

#include <fmt/format.h>

#include "json/value/parse.h"

namespace integreat::cloud {

namespace json = boost::json;

namespace {

constexpr std::size_t body_bytes_max = 16 * 1024 * 1024;  // Of a mail; each operation has its own limit.

std::string member_name(std::string_view name) {
    std::string lowered(name);
    if (!lowered.empty() && lowered[0] >= 'A' && lowered[0] <= 'Z')
        lowered[0] = static_cast<char>(lowered[0] + 32);
    return lowered;
}

AwsError wrong_type(std::string_view name, std::string_view expected) {
    return {.status = 400,
            .code = "SerializationException",
            .message = fmt::format("{} must be {}", name, expected)};
}

const json::value* find(const json::object& body, std::string_view name) {
    const auto* value = body.if_contains(name);
    return value && value->is_null() ? nullptr : value;
}

}  // namespace

AwsError validation_error(std::string message) {
    return {.status = 400, .code = "ValidationException", .message = std::move(message)};
}

Outcome<json::object> json_body(const Exchange& exchange) {
    if (exchange.body.empty()) return json::object();
    auto body = integreat::json::parse_object(exchange.body, {.bytes_max = body_bytes_max});
    if (body) return std::move(*body);
    return AwsError{.status = 400, .code = "SerializationException", .message = body.error().message};
}

Outcome<std::string> optional_text(const json::object& body, std::string_view name, std::size_t bytes_max) {
    const auto* value = find(body, name);
    if (!value) return std::string();
    if (!value->is_string()) return wrong_type(name, "a string");
    if (value->get_string().size() <= bytes_max) return std::string(value->get_string());
    return validation_error(
        fmt::format("1 validation error detected: Value at '{}' failed to satisfy constraint: "
                    "Member must have length less than or equal to {}",
                    member_name(name), bytes_max));
}

Outcome<std::string> required_text(const json::object& body, std::string_view name, std::size_t bytes_max) {
    if (!find(body, name)) {
        return validation_error(
            fmt::format("1 validation error detected: Value null at '{}' failed to satisfy "
                        "constraint: Member must not be null",
                        member_name(name)));
    }
    auto text = TRY(optional_text(body, name, bytes_max));
    if (!text.empty()) return text;
    return validation_error(
        fmt::format("1 validation error detected: Value '' at '{}' failed to satisfy "
                    "constraint: Member must have length greater than or equal to 1",
                    member_name(name)));
}

Outcome<bool> optional_flag(const json::object& body, std::string_view name, bool otherwise) {
    const auto* value = find(body, name);
    if (!value) return otherwise;
    if (!value->is_bool()) return wrong_type(name, "true or false");
    return value->get_bool();
}

Outcome<const json::object*> optional_object(const json::object& body, std::string_view name) {
    const auto* value = find(body, name);
    if (!value) return nullptr;
    if (!value->is_object()) return wrong_type(name, "an object");
    return &value->get_object();
}

Outcome<const json::array*> optional_array(const json::object& body, std::string_view name) {
    const auto* value = find(body, name);
    if (!value) return nullptr;
    if (!value->is_array()) return wrong_type(name, "a list");
    return &value->get_array();
}

}  // namespace integreat::cloud
