// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/accept.h"

#include <algorithm>

#include "base/text/ascii.h"
#include "gateway/stages/idempotency.h"

namespace integreat::gateway {

namespace {

std::string quote(std::string_view text) {
    return "\"" + std::string(text.substr(0, 200)) + "\"";
}

bool is_json(std::string_view type) {
    return iequals(type, "application/json") ||
           (type.size() > 5 && iequals(type.substr(type.size() - 5), "+json"));
}

constexpr std::string_view padding = " \t\"";  // Trimmed from media types and parameter values.

// "text/csv; charset=utf-8; header=present" → "text/csv" and true, since the charset is UTF-8.
struct MediaType {
    std::string_view name;
    bool utf8 = true;
};

MediaType parse_media_type(std::string_view content_type) {
    auto end = std::min(content_type.find(';'), content_type.size());
    MediaType type{.name = trim(content_type.substr(0, end), padding)};
    while (end < content_type.size()) {
        auto rest = content_type.substr(end + 1);
        auto parameter = trim(rest.substr(0, rest.find(';')), padding);
        constexpr std::string_view charset = "charset=";
        if (iequals(parameter.substr(0, charset.size()), charset))
            type.utf8 = iequals(trim(parameter.substr(charset.size()), padding), "utf-8");
        end = std::min(content_type.find(';', end + 1), content_type.size());
    }
    return type;
}

// JSON has no charset (RFC 8259 section 11): the parameter is ignored there.
bool accepts(const http::Route& route, std::string_view content_type) {
    auto type = parse_media_type(content_type);
    if (is_json(route.request_type)) return is_json(type.name);
    return iequals(type.name, route.request_type) && type.utf8;
}

bool check_content_type(PipelineContext& context) {
    const auto& route = *context.request_context.route;
    const auto& headers = context.request.headers;
    bool checked = route.handler && !route.request_schema.empty() && has_body(headers);
    if (!checked || accepts(route, headers.value("Content-Type"))) return true;
    const auto& type = route.request_type;
    auto rejection = make_rejection(http::ProblemType::unsupported_media_type,
                                    is_json(type) ? "Send JSON with Content-Type: " + type + "."
                                                  : "Send it in UTF-8 with Content-Type: " + type + ".",
                                    "Content-Type must be " + type);
    rejection.facts.emplace_back("Content-Type", quote(headers.value("Content-Type")));
    rejection.problem.headers.add("Accept", type);
    return reject(context, "validate", std::move(rejection));
}

bool check_idempotency_key(PipelineContext& context) {
    const auto& route = *context.request_context.route;
    if (route.idempotency == http::Idempotency::off) return true;
    auto key = parse_idempotency_key(route, context.request.headers);
    if (!key) {
        return reject(context, "idempotency",
                      make_rejection(http::ProblemType::idempotency_key_invalid, key.error().message,
                                     "1 to 255 characters, quoted or bare, once"));
    }
    if (key->empty() && route.idempotency == http::Idempotency::required) {
        return reject(context, "idempotency",
                      make_rejection(http::ProblemType::idempotency_key_missing,
                                     "Send Idempotency-Key with a new UUID; repeat it when you repeat the "
                                     "request.",
                                     "route " + route.name + " requires an Idempotency-Key"));
    }
    return true;
}

}  // namespace

bool has_body(const http::Headers& headers) {
    if (headers.contains("Transfer-Encoding")) return true;
    auto length = headers.get("Content-Length");
    return length && *length != "0";
}

bool require_acceptable_headers(PipelineContext& context) {
    return check_content_type(context) && check_idempotency_key(context);
}

}  // namespace integreat::gateway
