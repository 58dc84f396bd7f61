// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/cors.h"

#include <algorithm>
#include <charconv>

#include "base/text/ascii.h"
#include "cloud/s3/store/limits.h"
#include "cloud/s3/store/queries.h"

namespace integreat::s3 {

namespace {

// Matches a pattern with at most one "*".
bool matches(std::string_view pattern, std::string_view text) {
    auto star = pattern.find('*');
    if (star == std::string_view::npos) return pattern == text;
    auto before = pattern.substr(0, star), after = pattern.substr(star + 1);
    return text.size() >= before.size() + after.size() && text.starts_with(before) && text.ends_with(after);
}

std::vector<std::string> parse_list(std::string_view header) {
    std::vector<std::string> names;
    while (!header.empty()) {
        auto comma = std::min(header.find(','), header.size());
        auto one = header.substr(0, comma);
        header.remove_prefix(std::min(comma + 1, header.size()));
        while (one.starts_with(' '))
            one.remove_prefix(1);
        while (one.ends_with(' '))
            one.remove_suffix(1);
        if (!one.empty()) names.push_back(to_lower(one));
    }
    return names;
}

bool allows_header(const CorsRule& rule, const std::string& name) {
    return std::any_of(rule.headers.begin(), rule.headers.end(),
                       [&](const auto& pattern) { return matches(to_lower(pattern), name); });
}

// The properties of a cross-origin request.
struct CorsRequest {
    std::string_view origin;
    std::string_view method;
    std::vector<std::string> headers;  // Requested by a preflight, in lower case.
};

const CorsRule* find_rule(const Bucket& bucket, const CorsRequest& request) {
    for (const auto& rule : bucket.cors) {
        auto is_origin = [&](const auto& pattern) { return matches(pattern, request.origin); };
        if (std::none_of(rule.origins.begin(), rule.origins.end(), is_origin)) continue;
        if (std::find(rule.methods.begin(), rule.methods.end(), request.method) == rule.methods.end())
            continue;
        auto is_allowed = [&](const auto& name) { return allows_header(rule, name); };
        if (std::all_of(request.headers.begin(), request.headers.end(), is_allowed)) return &rule;
    }
    return nullptr;
}

void add_rule(const CorsRule& rule, std::string_view origin, http::Headers& headers) {
    bool any_origin = std::find(rule.origins.begin(), rule.origins.end(), "*") != rule.origins.end();
    headers.set("Access-Control-Allow-Origin", any_origin ? "*" : origin);
    headers.set("Access-Control-Allow-Methods", join(rule.methods, ", "));
    if (!rule.exposed_headers.empty())
        headers.set("Access-Control-Expose-Headers", join(rule.exposed_headers, ", "));
    if (rule.max_age_seconds) headers.set("Access-Control-Max-Age", std::to_string(*rule.max_age_seconds));
    if (!any_origin) headers.set("Access-Control-Allow-Credentials", "true");
}

constexpr std::string_view vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

AwsError not_allowed(std::string message, std::string_view method) {
    return {.status = 403,
            .code = "AccessForbidden",
            .message = std::move(message),
            .details = {{"Method", std::string(method)}, {"ResourceType", "OBJECT"}}};
}

AwsError not_whitelisted(std::string_view method) {
    return not_allowed(
        "CORSResponse: This CORS request is not allowed. This is usually because the evalution "
        "of Origin, request method / Access-Control-Request-Method or "
        "Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
        method);
}

}  // namespace

cloud::OperationResult handle_preflight(S3& s3, cloud::OperationContext& context) {
    const auto& headers = context.request.headers;
    auto origin = headers.get("origin");
    auto method = headers.value("access-control-request-method");
    if (!origin || method.empty()) {
        return AwsError{.status = 400,
                        .code = "BadRequest",
                        .message = origin ? "Invalid Access-Control-Request-Method: null"
                                          : "Insufficient information. Origin request header needed."};
    }
    auto result = find_bucket(*s3.storage, context.bucket);
    if (!result) return to_aws_error(result.error());
    const auto& bucket = *result;
    // A missing bucket and one without a configuration give the same error, which hides whether it exists.
    if (!bucket || bucket->cors.empty())
        return not_allowed("CORSResponse: CORS is not enabled for this bucket.", method);
    auto requested_headers = parse_list(headers.value("access-control-request-headers"));
    const auto* rule =
        find_rule(*bucket, {.origin = *origin, .method = method, .headers = requested_headers});
    if (!rule) return not_whitelisted(method);
    http::FullResponse response{.status = 200, .headers = {}, .body = {}};
    add_rule(*rule, *origin, response.headers);
    if (!requested_headers.empty())
        response.headers.set("Access-Control-Allow-Headers", join(requested_headers, ", "));
    response.headers.set("Vary", vary);
    return http::Response(std::move(response));
}

void add_cors(S3& s3, const cloud::OperationContext& context, http::Headers& headers) {
    if (context.bucket.empty()) return;
    auto bucket = find_bucket(*s3.storage, context.bucket);
    if (!bucket || !*bucket || (*bucket)->cors.empty()) return;
    headers.set("Vary", vary);
    auto origin = context.request.headers.get("origin");
    if (!origin) return;
    auto method = http::to_string(context.request.method);
    if (const auto* rule = find_rule(**bucket, {.origin = *origin, .method = method, .headers = {}}))
        add_rule(*rule, *origin, headers);
}

}  // namespace integreat::s3
