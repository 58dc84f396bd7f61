// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/post_policy.h"

#include <algorithm>
#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "crypto/encoding.h"
#include "json/value/parse.h"

namespace integreat::s3 {

namespace {

namespace json = boost::json;

AwsError invalid_policy(std::string what) {
    return {.status = 400, .code = "InvalidPolicyDocument", .message = "Invalid Policy: " + std::move(what)};
}

AwsError not_according(std::string what) {
    return {
        .status = 403, .code = "AccessDenied", .message = "Invalid according to Policy: " + std::move(what)};
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (auto& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

std::optional<std::uint64_t> size_of(const json::value& value) {
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

Tried<> read_object(const json::object& condition, PostPolicy& policy) {
    for (const auto& [field, value] : condition) {
        const auto* text = value.if_string();
        if (!text) return invalid_policy("Invalid Simple-Condition: value must be a string.");
        policy.conditions.push_back({PostCondition::Kind::equal, lower(field), std::string(*text)});
    }
    return {};
}

Tried<> read_array(const json::array& condition, PostPolicy& policy) {
    if (condition.size() != 3 || !condition[0].is_string())
        return invalid_policy("Invalid Condition: must be an array of three.");
    auto name = lower(condition[0].get_string());
    if (name == "content-length-range") {
        auto least = size_of(condition[1]), most = size_of(condition[2]);
        if (!least || !most) return invalid_policy("Invalid content-length-range: must be numbers.");
        policy.bytes_min = std::max(policy.bytes_min, *least);
        policy.bytes_max = std::min(policy.bytes_max, *most);
        return {};
    }
    const auto* field = condition[1].if_string();
    const auto* value = condition[2].if_string();
    if ((name != "eq" && name != "starts-with") || !field || !value || !field->starts_with("$"))
        return invalid_policy("Invalid Condition: unknown operation '" + name + "'.");
    policy.conditions.push_back({name == "eq" ? PostCondition::Kind::equal : PostCondition::Kind::starts_with,
                                 lower(std::string_view(*field).substr(1)), std::string(*value)});
    return {};
}

std::string shown(const PostCondition& condition) {
    bool equal = condition.kind == PostCondition::Kind::equal;
    return std::string("[\"") + (equal ? "eq" : "starts-with") + "\", \"$" + condition.field + "\", \"" +
           condition.value + "\"]";
}

// Content-Type may be a list; each of it must begin so.
bool begins(std::string_view field, std::string_view value, std::string_view start) {
    if (field != "content-type") return value.starts_with(start);
    while (true) {
        auto comma = std::min(value.find(','), value.size());
        if (!value.substr(0, comma).starts_with(start)) return false;
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

Tried<PostPolicy> parse_post_policy(std::string_view encoded) {
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
            TRY(read_object(*object, policy));
        } else if (const auto* array = condition.if_array()) {
            TRY(read_array(*array, policy));
        } else {
            return invalid_policy("Invalid Condition: must be an object or an array.");
        }
    }
    return policy;
}

Tried<> check_post_policy(const PostPolicy& policy, const Pairs& fields, std::string_view bucket, Time now) {
    if (now >= policy.expires) return not_according("Policy expired.");
    auto value_of = [&](const std::string& name) -> std::string_view {
        if (name == "bucket") return bucket;
        for (const auto& [field, value] : fields) {
            if (lower(field) == name) return value;
        }
        return {};
    };
    for (const auto& condition : policy.conditions) {
        auto value = value_of(condition.field);
        bool good = condition.kind == PostCondition::Kind::equal
                        ? value == condition.value
                        : begins(condition.field, value, condition.value);
        if (!good) return not_according("Policy Condition failed: " + shown(condition));
    }
    for (const auto& [field, value] : fields) {
        auto name = lower(field);
        auto allows = [&name](const PostCondition& condition) { return condition.field == name; };
        if (needs_no_condition(name)) continue;
        if (std::none_of(policy.conditions.begin(), policy.conditions.end(), allows))
            return not_according("Extra input fields: " + name);
    }
    return {};
}

}  // namespace integreat::s3
