// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/post_policy.h"

#include <algorithm>
#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/text/ascii.h"
#include "crypto/encoding.h"
#include "json/value/parse.h"

namespace integreat::s3 {

namespace {

namespace json = boost::json;

AwsError invalid_policy(std::string message) {
    return {
        .status = 400, .code = "InvalidPolicyDocument", .message = "Invalid Policy: " + std::move(message)};
}

AwsError policy_violation(std::string message) {
    return {.status = 403,
            .code = "AccessDenied",
            .message = "Invalid according to Policy: " + std::move(message)};
}

std::optional<std::uint64_t> parse_size(const json::value& value) {
    if (const auto* number = value.if_int64(); number && *number >= 0)
        return static_cast<std::uint64_t>(*number);
    if (const auto* number = value.if_uint64()) return *number;
    if (const auto* text = value.if_string()) {
        std::uint64_t number = 0;
        auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
        if (failure == std::errc() && end == text->data() + text->size()) return number;
    }
    return std::nullopt;
}

AwsResult<> parse_object_condition(const json::object& condition, PostPolicy& policy) {
    for (const auto& [field, value] : condition) {
        const auto* text = value.if_string();
        if (!text) return invalid_policy("Invalid Simple-Condition: value must be a string.");
        policy.conditions.push_back({PostCondition::Kind::equal, to_lower(field), std::string(*text)});
    }
    return {};
}

AwsResult<> parse_array_condition(const json::array& condition, PostPolicy& policy) {
    if (condition.size() != 3 || !condition[0].is_string())
        return invalid_policy("Invalid Condition: must be an array of three.");
    auto name = to_lower(condition[0].get_string());
    if (name == "content-length-range") {
        auto bytes_min = parse_size(condition[1]), bytes_max = parse_size(condition[2]);
        if (!bytes_min || !bytes_max) return invalid_policy("Invalid content-length-range: must be numbers.");
        policy.bytes_min = std::max(policy.bytes_min, *bytes_min);
        policy.max_bytes = std::min(policy.max_bytes, *bytes_max);
        return {};
    }
    const auto* field = condition[1].if_string();
    const auto* value = condition[2].if_string();
    if ((name != "eq" && name != "starts-with") || !field || !value || !field->starts_with("$"))
        return invalid_policy("Invalid Condition: unknown operation '" + name + "'.");
    policy.conditions.push_back({name == "eq" ? PostCondition::Kind::equal : PostCondition::Kind::starts_with,
                                 to_lower(std::string_view(*field).substr(1)), std::string(*value)});
    return {};
}

std::string to_string(const PostCondition& condition) {
    bool equal = condition.kind == PostCondition::Kind::equal;
    return std::string("[\"") + (equal ? "eq" : "starts-with") + "\", \"$" + condition.field + "\", \"" +
           condition.value + "\"]";
}

// Returns whether a field has a prefix. Content-Type may be a list, and every element must have it.
bool has_prefix(std::string_view field, std::string_view value, std::string_view prefix) {
    if (field != "content-type") return value.starts_with(prefix);
    while (true) {
        auto comma = std::min(value.find(','), value.size());
        if (!value.substr(0, comma).starts_with(prefix)) return false;
        if (comma == value.size()) return true;
        value.remove_prefix(comma + 1);
        while (value.starts_with(' '))
            value.remove_prefix(1);
    }
}

bool needs_no_condition(const std::string& field) {
    return field == "x-amz-signature" || field == "file" || field == "policy" || field == "bucket" ||
           field.starts_with("x-ignore-");
}

}  // namespace

AwsResult<PostPolicy> parse_post_policy(std::string_view encoded) {
    auto text = crypto::base64_decode(encoded);
    if (!text) return invalid_policy("Invalid Base64.");
    auto document = integreat::json::parse_object(*text);
    if (!document) {
        auto error = invalid_policy("Invalid JSON.");
        error.cause = document.error().message;
        return error;
    }
    PostPolicy policy;
    const auto* expiration = document->if_contains("expiration");
    if (!expiration || !expiration->is_string()) return invalid_policy("Policy missing expiration.");
    auto expires = parse_rfc3339(expiration->get_string());
    if (!expires)
        return invalid_policy("Invalid 'expiration' value: '" + std::string(expiration->get_string()) + "'");
    policy.expires = *expires;
    const auto* conditions = document->if_contains("conditions");
    if (!conditions || !conditions->is_array()) return invalid_policy("Policy missing conditions.");
    for (const auto& condition : conditions->get_array()) {
        if (const auto* object = condition.if_object()) {
            TRY(parse_object_condition(*object, policy));
        } else if (const auto* array = condition.if_array()) {
            TRY(parse_array_condition(*array, policy));
        } else {
            return invalid_policy("Invalid Condition: must be an object or an array.");
        }
    }
    return policy;
}

AwsResult<> check_post_policy(const PostPolicy& policy, const Pairs& fields, std::string_view bucket,
                              Time now) {
    if (now >= policy.expires) return policy_violation("Policy expired.");
    auto find_value = [&](const std::string& name) -> std::string_view {
        if (name == "bucket") return bucket;
        for (const auto& [field, value] : fields) {
            if (to_lower(field) == name) return value;
        }
        return {};
    };
    for (const auto& condition : policy.conditions) {
        auto value = find_value(condition.field);
        bool satisfied = condition.kind == PostCondition::Kind::equal
                             ? value == condition.value
                             : has_prefix(condition.field, value, condition.value);
        if (!satisfied) return policy_violation("Policy Condition failed: " + to_string(condition));
    }
    for (const auto& [field, value] : fields) {
        auto name = to_lower(field);
        auto allows = [&name](const PostCondition& condition) { return condition.field == name; };
        if (needs_no_condition(name)) continue;
        if (std::none_of(policy.conditions.begin(), policy.conditions.end(), allows))
            return policy_violation("Extra input fields: " + name);
    }
    return {};
}

}  // namespace integreat::s3
