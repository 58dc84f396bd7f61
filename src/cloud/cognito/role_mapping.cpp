// SPDX-License-Identifier: Apache-2.0
#include "cloud/cognito/role_mapping.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/text/ascii.h"

namespace integreat::cognito {

namespace json = boost::json;
using cloud::AwsError;
using cloud::AwsResult;

namespace {

AwsError invalid(std::string message) {
    return {.status = 400, .code = "InvalidParameterException", .message = std::move(message)};
}

std::string get_text(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool is_role_arn(std::string_view text) {
    return text.starts_with("arn:aws:iam::") && text.find(":role/") != std::string_view::npos &&
           text.size() <= 2'048;
}

// Converts a claim to text for rules and tags: strings unchanged, numbers and booleans as JSON.
std::string to_claim_text(const json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

// Returns whether the text can be the value of a session tag: at most 256 characters of letters, digits,
// spaces and "_.:/=+-@" ("Passing session tags in AWS STS"). Letters outside of ASCII pass as they are.
bool is_tag_value(std::string_view text) {
    std::size_t characters = 0;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        bool continues = (byte & 0xc0U) == 0x80U;
        if (!continues) ++characters;
        bool plain = is_alnum(c) || std::string_view(" _.:/=+-@").find(c) != std::string_view::npos;
        if (byte < 0x80U && !plain) return false;
    }
    return characters <= 256;
}

// Returns the values of a claim: the elements of a list, or the single value; empty if it is missing.
std::vector<std::string> claim_values(const json::object& claims, std::string_view name) {
    std::vector<std::string> values;
    const auto* value = claims.if_contains(name);
    if (!value || value->is_null()) return values;
    if (!value->is_array()) return {to_claim_text(*value)};
    for (const auto& item : value->get_array())
        values.push_back(to_claim_text(item));
    return values;
}

AwsResult<> check_rule(const json::value& value) {
    const auto* rule = value.if_object();
    if (!rule) return invalid("A rule must be an object.");
    auto match = get_text(*rule, "MatchType");
    bool supported = match == "Equals" || match == "Contains" || match == "StartsWith" || match == "NotEqual";
    if (!supported) return invalid("MatchType must be Equals, Contains, StartsWith or NotEqual.");
    if (get_text(*rule, "Claim").empty() || get_text(*rule, "Value").empty())
        return invalid("A rule needs Claim and Value.");
    if (!is_role_arn(get_text(*rule, "RoleARN")))
        return invalid("A rule's RoleARN must be the ARN of a role.");
    return {};
}

AwsResult<> check_mapping(const json::value& value) {
    const auto* mapping = value.if_object();
    if (!mapping) return invalid("A role mapping must be an object.");
    auto type = get_text(*mapping, "Type");
    if (type != "Token" && type != "Rules") return invalid("Type of a role mapping must be Token or Rules.");
    auto ambiguous = get_text(*mapping, "AmbiguousRoleResolution");
    if (ambiguous != "AuthenticatedRole" && ambiguous != "Deny")
        return invalid("AmbiguousRoleResolution must be AuthenticatedRole or Deny.");
    if (type == "Token") return {};
    const auto* configuration = mapping->if_contains("RulesConfiguration");
    const auto* rules = configuration && configuration->is_object()
                            ? configuration->get_object().if_contains("Rules")
                            : nullptr;
    if (!rules || !rules->is_array() || rules->get_array().empty() || rules->get_array().size() > rules_max)
        return invalid("A role mapping of type Rules needs 1 to 25 rules.");
    for (const auto& rule : rules->get_array())
        TRY(check_rule(rule));
    return {};
}

bool matches(const json::object& rule, const json::object& claims) {
    auto values = claim_values(claims, get_text(rule, "Claim"));
    auto expected = get_text(rule, "Value");
    auto match = get_text(rule, "MatchType");
    auto equals = [&](const std::string& value) { return value == expected; };
    if (match == "NotEqual") return !values.empty() && std::ranges::none_of(values, equals);
    if (match == "Equals") return std::ranges::any_of(values, equals);
    return std::ranges::any_of(values, [&](const std::string& value) {
        return match == "Contains" ? value.find(expected) != std::string::npos : value.starts_with(expected);
    });
}

// Returns the roles of a mapping: the first is the default, the others may be selected by CustomRoleArn.
std::vector<std::string> candidate_roles(const json::object& mapping, const json::object& claims) {
    if (get_text(mapping, "Type") == "Token") {
        auto roles = claim_values(claims, "cognito:roles");
        auto preferred = get_text(claims, "cognito:preferred_role");
        if (preferred.empty()) return roles.size() == 1 ? roles : std::vector<std::string>();
        std::erase(roles, preferred);
        roles.insert(roles.begin(), preferred);
        return roles;
    }
    std::vector<std::string> roles;
    for (const auto& rule : mapping.at("RulesConfiguration").at("Rules").as_array()) {
        if (matches(rule.as_object(), claims)) roles.push_back(get_text(rule.as_object(), "RoleARN"));
    }
    return roles;
}

std::string default_role(const json::object& roles, std::string_view kind) {
    const auto* defaults = roles.if_contains("Roles");
    return defaults ? get_text(defaults->as_object(), kind) : std::string();
}

}  // namespace

AwsResult<json::object> parse_roles(const json::object& body) {
    json::object roles;
    const auto* defaults = body.if_contains("Roles");
    if (!defaults || !defaults->is_object()) {
        return AwsError{.status = 400,
                        .code = "ValidationException",
                        .message =
                            "1 validation error detected: Value null at 'roles' failed to satisfy "
                            "constraint: Member must not be null"};
    }
    for (const auto& role : defaults->get_object()) {
        bool valid_key = role.key() == "authenticated" || role.key() == "unauthenticated";
        if (!valid_key || !role.value().is_string() || !is_role_arn(role.value().get_string()))
            return invalid("Roles maps \"authenticated\" and \"unauthenticated\" to ARNs of roles.");
    }
    roles["Roles"] = *defaults;
    const auto* mappings = body.if_contains("RoleMappings");
    if (!mappings || mappings->is_null()) return roles;
    if (!mappings->is_object() || mappings->get_object().size() > 10)
        return invalid("RoleMappings maps at most 10 providers to role mappings.");
    for (const auto& mapping : mappings->get_object())
        TRY(check_mapping(mapping.value()));
    roles["RoleMappings"] = *mappings;
    return roles;
}

std::vector<std::string> role_arns(const json::object& roles) {
    std::vector<std::string> arns;
    auto add = [&](std::string arn) {
        if (!arn.empty() && std::ranges::find(arns, arn) == arns.end()) arns.push_back(std::move(arn));
    };
    for (const char* kind : {"authenticated", "unauthenticated"})
        add(default_role(roles, kind));
    const auto* mappings = roles.if_contains("RoleMappings");
    for (const auto& mapping : mappings ? mappings->as_object() : json::object()) {
        const auto& provider_mapping = mapping.value().as_object();
        if (get_text(provider_mapping, "Type") != "Rules") continue;
        for (const auto& rule : provider_mapping.at("RulesConfiguration").at("Rules").as_array())
            add(get_text(rule.as_object(), "RoleARN"));
    }
    return arns;
}

AwsResult<std::string> resolve_role(const RoleRequest& request) {
    if (request.provider.empty()) return default_role(request.roles, "unauthenticated");
    const auto* mappings = request.roles.if_contains("RoleMappings");
    const auto* mapping = mappings ? mappings->as_object().if_contains(request.provider) : nullptr;
    auto authenticated_role = default_role(request.roles, "authenticated");
    if (!mapping) {
        if (request.custom_role.empty() || request.custom_role == authenticated_role)
            return authenticated_role;
        return invalid("CustomRoleArn is not among the roles of this identity.");
    }
    auto roles = candidate_roles(mapping->as_object(), request.claims);
    if (!request.custom_role.empty()) {
        if (std::ranges::find(roles, request.custom_role) != roles.end()) return request.custom_role;
        return invalid("CustomRoleArn is not among the roles of this identity.");
    }
    if (!roles.empty()) return roles.front();
    if (get_text(mapping->as_object(), "AmbiguousRoleResolution") == "AuthenticatedRole")
        return authenticated_role;
    return AwsError{.status = 400,
                    .code = "NotAuthorizedException",
                    .message = "Access denied: the role mapping gives this identity no role."};
}

std::map<std::string, std::string> principal_tags(const json::object& maps, const std::string& provider,
                                                  const json::object& claims) {
    std::map<std::string, std::string> tags;
    const auto* map = maps.if_contains(provider);
    if (!map) return tags;
    auto add = [&](std::string tag, std::string_view claim) {
        const auto* value = claims.if_contains(claim);
        if (!value || value->is_null() || value->is_structured()) return;
        auto text = to_claim_text(*value);
        if (is_tag_value(text)) tags.emplace(std::move(tag), std::move(text));
    };
    if (map->at("UseDefaults").as_bool()) {
        add("username", "sub");
        add("client", "aud");
        return tags;
    }
    for (const auto& tag : map->at("PrincipalTags").as_object())
        add(tag.key(), tag.value().as_string());
    return tags;
}

}  // namespace integreat::cognito
