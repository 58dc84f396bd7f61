// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/bucket_settings.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

AwsResult<> check_wildcards(std::string_view element_name, const std::vector<std::string>& patterns) {
    for (const auto& pattern : patterns) {
        if (std::count(pattern.begin(), pattern.end(), '*') > 1) {
            return invalid_request(std::string(element_name) + " \"" + pattern +
                                   "\" can not have more than one wildcard.");
        }
    }
    return {};
}

AwsResult<CorsRule> parse_cors_rule(const Element& element) {
    CorsRule rule;
    for (const auto& child : element.children) {
        if (child.name == "AllowedOrigin") {
            rule.origins.push_back(child.text);
        } else if (child.name == "AllowedMethod") {
            rule.methods.push_back(child.text);
        } else if (child.name == "AllowedHeader") {
            rule.headers.push_back(child.text);
        } else if (child.name == "ExposeHeader") {
            rule.exposed_headers.push_back(child.text);
        } else if (child.name == "MaxAgeSeconds") {
            int seconds = 0;
            auto [end, failure] =
                std::from_chars(child.text.data(), child.text.data() + child.text.size(), seconds);
            if (failure != std::errc() || end != child.text.data() + child.text.size() || seconds < 0)
                return malformed_xml();
            rule.max_age_seconds = seconds;
        } else if (child.name != "ID") {
            return malformed_xml();
        }
    }
    if (rule.origins.empty() || rule.methods.empty()) return malformed_xml();
    for (const auto& method : rule.methods) {
        if (method != "GET" && method != "PUT" && method != "POST" && method != "DELETE" &&
            method != "HEAD") {
            return invalid_request("Found unsupported HTTP method in CORS config. Unsupported method is " +
                                   method);
        }
    }
    TRY(check_wildcards("AllowedOrigin", rule.origins));
    TRY(check_wildcards("AllowedHeader", rule.headers));
    for (const auto& name : rule.exposed_headers) {
        if (name.find('*') != std::string::npos) {
            return invalid_request("ExposeHeader \"" + name +
                                   "\" contains wildcard. We currently do not support wildcard for "
                                   "ExposeHeader.");
        }
    }
    return rule;
}

// Condition keys that tie a request to an account, an organization or a network if their values are fixed.
constexpr std::array<std::string_view, 13> source_keys{
    "aws:sourcearn",        "aws:sourcevpc", "aws:sourcevpce",        "aws:sourceowner",
    "aws:sourceaccount",    "aws:userid",    "aws:principalorgid",    "aws:principalarn",
    "aws:principalaccount", "aws:sourceip",  "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
    "aws:principalorgpaths"};

bool is_unrestricted(const std::string& text) {
    return text.find("${") != std::string::npos || text == "*" || text == "0.0.0.0/0" || text == "::/0";
}

bool restricts_source(const policy::Condition& condition) {
    const auto& texts = condition.operand_texts;
    return !condition.op.negated && std::none_of(texts.begin(), texts.end(), is_unrestricted) &&
           std::find(source_keys.begin(), source_keys.end(), condition.key) != source_keys.end();
}

}  // namespace

AwsResult<std::vector<CorsRule>> parse_cors(const Element& configuration) {
    std::vector<CorsRule> rules;
    for (const auto& element : configuration.children) {
        if (element.name != "CORSRule" || rules.size() == cors_rules_max) return malformed_xml();
        rules.push_back(TRY(parse_cors_rule(element)));
    }
    if (rules.empty()) return malformed_xml();
    return rules;
}

PublicAccessBlock parse_public_access_block(const Bucket& bucket) {
    auto setting = bucket.settings.find("publicAccessBlock");
    if (setting == bucket.settings.end()) return {};
    PublicAccessBlock block{false, false, false, false};
    if (setting->second == deleted_setting) return block;
    auto root = parse_xml(setting->second, "PublicAccessBlockConfiguration");
    ASSERT(root);
    auto is_on = [&](std::string_view name) {
        auto value = root->value(name);
        return value == "true" || value == "TRUE";
    };
    block.block_public_acls = is_on("BlockPublicAcls");
    block.ignore_public_acls = is_on("IgnorePublicAcls");
    block.block_public_policy = is_on("BlockPublicPolicy");
    block.restrict_public_buckets = is_on("RestrictPublicBuckets");
    return block;
}

bool restricts_public_access(const Bucket& bucket) {
    return parse_public_access_block(bucket).restrict_public_buckets;
}

bool is_public_policy(const policy::Document& document) {
    for (const auto& statement : document.statements) {
        if (statement.effect != policy::Effect::allow) continue;
        const auto& [is_not, named] = statement.principals;
        bool any_principal = is_not || std::any_of(named.begin(), named.end(), [](const auto& principal) {
                                 return principal.text == "*";
                             });
        if (any_principal &&
            std::none_of(statement.conditions.begin(), statement.conditions.end(), restricts_source))
            return true;
    }
    return false;
}

void compile_settings(Bucket& bucket) {
    if (auto setting = bucket.settings.find("cors"); setting != bucket.settings.end()) {
        auto root = parse_xml(setting->second, "CORSConfiguration");
        ASSERT(root);
        auto rules = parse_cors(*root);
        ASSERT(rules);
        bucket.cors = *std::move(rules);
    }
    if (auto setting = bucket.settings.find("policy"); setting != bucket.settings.end()) {
        auto document = policy::parse_document(setting->second, policy::DocumentKind::resource);
        ASSERT(document);
        bucket.policy = *std::move(document);
    }
}

}  // namespace integreat::s3
