// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/cors.h"

#include <algorithm>
#include <charconv>

#include "cloud/s3/store/limits.h"
#include "cloud/s3/store/queries.h"

namespace integreat::s3 {

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (auto& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

// At most one "*", anywhere.
bool fits(std::string_view pattern, std::string_view text) {
    auto star = pattern.find('*');
    if (star == std::string_view::npos) return pattern == text;
    auto before = pattern.substr(0, star), after = pattern.substr(star + 1);
    return text.size() >= before.size() + after.size() && text.starts_with(before) && text.ends_with(after);
}

std::vector<std::string> list_of(std::string_view header) {
    std::vector<std::string> names;
    while (!header.empty()) {
        auto comma = std::min(header.find(','), header.size());
        auto one = header.substr(0, comma);
        header.remove_prefix(std::min(comma + 1, header.size()));
        while (one.starts_with(' '))
            one.remove_prefix(1);
        while (one.ends_with(' '))
            one.remove_suffix(1);
        if (!one.empty()) names.push_back(lower(one));
    }
    return names;
}

bool knows_header(const CorsRule& rule, const std::string& name) {
    return std::any_of(rule.headers.begin(), rule.headers.end(),
                       [&](const auto& pattern) { return fits(lower(pattern), name); });
}

struct Crossing {
    std::string_view origin;
    std::string_view method;
    std::vector<std::string> headers;  // Wanted by a preflight, in lower case.
};

const CorsRule* rule_for(const Bucket& bucket, const Crossing& crossing) {
    for (const auto& rule : bucket.cors) {
        auto is_origin = [&](const auto& pattern) { return fits(pattern, crossing.origin); };
        if (std::none_of(rule.origins.begin(), rule.origins.end(), is_origin)) continue;
        if (std::find(rule.methods.begin(), rule.methods.end(), crossing.method) == rule.methods.end())
            continue;
        auto is_known = [&](const auto& name) { return knows_header(rule, name); };
        if (std::all_of(crossing.headers.begin(), crossing.headers.end(), is_known)) return &rule;
    }
    return nullptr;
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts)
        (all += all.empty() ? "" : ", ") += text;
    return all;
}

void add_rule(const CorsRule& rule, std::string_view origin, http::Headers& headers) {
    bool anyone = std::find(rule.origins.begin(), rule.origins.end(), "*") != rule.origins.end();
    headers.set("Access-Control-Allow-Origin", anyone ? "*" : origin);
    headers.set("Access-Control-Allow-Methods", joined(rule.methods));
    if (!rule.exposed.empty()) headers.set("Access-Control-Expose-Headers", joined(rule.exposed));
    if (rule.age_seconds_max) headers.set("Access-Control-Max-Age", std::to_string(*rule.age_seconds_max));
    if (!anyone) headers.set("Access-Control-Allow-Credentials", "true");
}

constexpr std::string_view vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

AwsError not_allowed(std::string message, std::string_view method) {
    return {.status = 403,
            .code = "AccessForbidden",
            .message = std::move(message),
            .details = {{"Method", std::string(method)}, {"ResourceType", "OBJECT"}}};
}

AwsError not_white_listed(std::string_view method) {
    return not_allowed(
        "CORSResponse: This CORS request is not allowed. This is usually because the evalution "
        "of Origin, request method / Access-Control-Request-Method or "
        "Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
        method);
}

Tried<> check_wildcards(std::string_view what, const std::vector<std::string>& patterns) {
    for (const auto& pattern : patterns) {
        if (std::count(pattern.begin(), pattern.end(), '*') > 1) {
            return invalid_request(std::string(what) + " \"" + pattern +
                                   "\" can not have more than one wildcard.");
        }
    }
    return {};
}

Tried<CorsRule> read_rule(const Element& element) {
    CorsRule rule;
    for (const auto& inside : element.children) {
        if (inside.name == "AllowedOrigin") {
            rule.origins.push_back(inside.text);
        } else if (inside.name == "AllowedMethod") {
            rule.methods.push_back(inside.text);
        } else if (inside.name == "AllowedHeader") {
            rule.headers.push_back(inside.text);
        } else if (inside.name == "ExposeHeader") {
            rule.exposed.push_back(inside.text);
        } else if (inside.name == "MaxAgeSeconds") {
            int seconds = 0;
            auto [end, failure] =
                std::from_chars(inside.text.data(), inside.text.data() + inside.text.size(), seconds);
            if (failure != std::errc() || end != inside.text.data() + inside.text.size() || seconds < 0)
                return malformed_xml();
            rule.age_seconds_max = seconds;
        } else if (inside.name != "ID") {
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
    for (const auto& name : rule.exposed) {
        if (name.find('*') != std::string::npos) {
            return invalid_request("ExposeHeader \"" + name +
                                   "\" contains wildcard. We currently do not support wildcard for "
                                   "ExposeHeader.");
        }
    }
    return rule;
}

}  // namespace

Tried<std::vector<CorsRule>> read_cors(const Element& configuration) {
    std::vector<CorsRule> rules;
    for (const auto& element : configuration.children) {
        if (element.name != "CORSRule" || rules.size() == cors_rules_max) return malformed_xml();
        rules.push_back(TRY(read_rule(element)));
    }
    if (rules.empty()) return malformed_xml();
    return rules;
}

cloud::Answer answer_preflight(S3& s3, cloud::Exchange& exchange) {
    const auto& headers = exchange.request.headers;
    auto origin = headers.get("origin");
    auto method = headers.value("access-control-request-method");
    if (!origin || method.empty()) {
        return AwsError{.status = 400,
                        .code = "BadRequest",
                        .message = origin ? "Invalid Access-Control-Request-Method: null"
                                          : "Insufficient information. Origin request header needed."};
    }
    auto found = find_bucket(*s3.storage, exchange.bucket);
    if (!found) return from_error(found.error());
    const auto& bucket = *found;
    // Whether a bucket exists is not told to strangers: none is as good as one without a configuration.
    if (!bucket || bucket->cors.empty())
        return not_allowed("CORSResponse: CORS is not enabled for this bucket.", method);
    auto wanted = list_of(headers.value("access-control-request-headers"));
    const auto* rule = rule_for(*bucket, {.origin = *origin, .method = method, .headers = wanted});
    if (!rule) return not_white_listed(method);
    http::Reply reply{.status = 200, .headers = {}, .body = {}};
    add_rule(*rule, *origin, reply.headers);
    if (!wanted.empty()) reply.headers.set("Access-Control-Allow-Headers", joined(wanted));
    reply.headers.set("Vary", vary);
    return http::Response(std::move(reply));
}

void add_cors(S3& s3, const cloud::Exchange& exchange, http::Headers& headers) {
    if (exchange.bucket.empty()) return;
    auto bucket = find_bucket(*s3.storage, exchange.bucket);
    if (!bucket || !*bucket || (*bucket)->cors.empty()) return;
    headers.set("Vary", vary);
    auto origin = exchange.request.headers.get("origin");
    if (!origin) return;
    auto method = http::to_string(exchange.request.method);
    if (const auto* rule = rule_for(**bucket, {.origin = *origin, .method = method, .headers = {}}))
        add_rule(*rule, *origin, headers);
}

}  // namespace integreat::s3
