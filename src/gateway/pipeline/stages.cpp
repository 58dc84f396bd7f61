// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/stages.h"

#include <algorithm>
#include <charconv>

#include "gateway/logging/redact.h"
#include "json/value/parse.h"

namespace integreat::gateway {

namespace {

std::string quoted(std::string_view text) {
    return "\"" + std::string(text.substr(0, 200)) + "\"";
}

bool has_body(const http::Headers& headers) {
    if (headers.contains("Transfer-Encoding")) return true;
    auto length = headers.get("Content-Length");
    return length && *length != "0";
}

// The declared length, if there is one; net/ has checked that it is a number.
std::optional<std::uint64_t> declared_length(const http::Headers& headers) {
    auto text = headers.get("Content-Length");
    std::uint64_t length = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), length).ec != std::errc())
        return {};
    return length;
}

bool is_json(std::string_view type) {
    return http::equal_ignoring_case(type, "application/json") ||
           (type.size() > 5 && http::equal_ignoring_case(type.substr(type.size() - 5), "+json"));
}

// "text/csv; charset=utf-8; header=present" → "text/csv" and whether it is in UTF-8, as everything here is.
struct MediaType {
    std::string_view name;
    bool utf8 = true;
};

std::string_view trimmed(std::string_view text) {
    auto spare = [](char c) { return c == ' ' || c == '\t' || c == '"'; };
    while (!text.empty() && spare(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && spare(text.back()))
        text.remove_suffix(1);
    return text;
}

MediaType media_type(std::string_view content_type) {
    auto end = std::min(content_type.find(';'), content_type.size());
    MediaType type{.name = trimmed(content_type.substr(0, end))};
    while (end < content_type.size()) {
        auto rest = content_type.substr(end + 1);
        auto parameter = trimmed(rest.substr(0, rest.find(';')));
        constexpr std::string_view charset = "charset=";
        if (http::equal_ignoring_case(parameter.substr(0, charset.size()), charset))
            type.utf8 = http::equal_ignoring_case(trimmed(parameter.substr(charset.size())), "utf-8");
        end = std::min(content_type.find(';', end + 1), content_type.size());
    }
    return type;
}

// JSON has no charset (RFC 8259 section 11): what is said of one there is not looked at.
bool takes(const http::Route& route, std::string_view content_type) {
    auto type = media_type(content_type);
    if (is_json(route.request_type)) return is_json(type.name);
    return http::equal_ignoring_case(type.name, route.request_type) && type.utf8;
}

bool answer_preflight(Passage& passage, std::string_view origin) {
    const auto& cors = passage.tenant->cors;
    if (!allows_origin(cors, origin)) {
        auto no = refusal(403, "origin-not-allowed", "The origin is not allowed",
                          "The application " + passage.tenant->tenant.text + " does not list this origin.",
                          "cors.origins of " + passage.tenant->tenant.text + " must have the origin");
        no.facts.emplace_back("Origin", origin);
        return refuse(passage, "cors", std::move(no));
    }
    passage.answer = preflight_reply(cors, passage.allow);
    return false;
}

bool refuse_identity(Passage& passage, identity::Denial denial) {
    http::Problem problem{.status = denial.status,
                          .type = std::move(denial.type),
                          .title = std::move(denial.title),
                          .detail = std::move(denial.detail)};
    if (problem.status == 401) {
        problem.headers.add("WWW-Authenticate", "Bearer realm=\"integreat\", error=\"invalid_token\"");
    }
    if (problem.status == 503) problem.retry_after = std::chrono::seconds(1);
    return refuse(
        passage, "identify",
        {.problem = std::move(problem), .rule = std::move(denial.rule), .facts = std::move(denial.facts)});
}

bool refuse_rate(Passage& passage, const Rate& rate, const Taken& taken, std::string whose) {
    auto no = refusal(429, "rate-limited", "Too many requests",
                      "Try again in " + std::to_string(taken.more_seconds) + " s.",
                      "limit " + rate.policy + " of " + whose);
    no.problem.retry_after = std::chrono::seconds(taken.more_seconds);
    add_rate_fields(rate, taken, no.problem.headers);
    no.facts.emplace_back("route", passage.call.route->name);
    return refuse(passage, "limit", std::move(no));
}

std::uint64_t bucket_of(const Passage& passage) {
    const auto& buckets = passage.gateway.buckets;
    const auto* principal = passage.call.principal.get();
    if (!principal) return buckets.key_of_address(passage.request.peer.address);
    auto key = buckets.key_of(principal->subject) + buckets.key_of(principal->tenant.text) * 3;
    return principal->kind == PrincipalKind::key ? ~key : key;
}

// What a token allowed does not go on when the token has expired. A document that was begun may be finished.
void end_with_token(http::Stream& stream, const http::Call& call) {
    using std::chrono::seconds;
    const auto* principal = call.principal.get();
    if (stream.heartbeat.empty() || !principal || principal->kind == PrincipalKind::anonymous) return;
    auto left = std::chrono::floor<seconds>(principal->expires - call.started);
    if (left >= std::chrono::floor<seconds>(Monotonic::max() - call.arrived)) return;
    stream.until = std::min(stream.until, call.arrived + left);
}

}  // namespace

Refusal refusal(int status, const char* type, const char* title, std::string detail, std::string rule) {
    return {.problem = {.status = status, .type = type, .title = title, .detail = std::move(detail)},
            .rule = std::move(rule)};
}

void keep_decision(Passage& passage, int status) {
    const auto& call = passage.call;
    DecisionRecord record{.request_id = call.id.text,
                          .time = call.started,
                          .tenant = call.tenant,
                          .route = call.route ? call.route->name : std::string(),
                          .method = std::string(to_string(passage.request.method)),
                          .status = status,
                          .caller = caller_of(call.principal.get()),
                          .decision = call.decision,
                          .cause = call.cause};
    append_redacted_target(record.path, passage.request.target);
    passage.gateway.decisions.add(std::move(record));
}

bool refuse(Passage& passage, std::string_view stage, Refusal refusal) {
    auto& call = passage.call;
    call.decision = {.stage = std::string(stage),
                     .type = refusal.problem.type,
                     .rule = std::move(refusal.rule),
                     .facts = std::move(refusal.facts)};
    keep_decision(passage, refusal.problem.status);
    passage.answer = to_reply(refusal.problem, call.id.text);
    return false;
}

std::string caller_of(const Principal* principal) {
    if (!principal || principal->kind == PrincipalKind::anonymous) return "anonymous";
    return (principal->kind == PrincipalKind::key ? "key " : "user ") + principal->subject;
}

bool number_request(Passage& passage) {
    auto& call = passage.call;
    if (call.id.empty()) passage.gateway.numbering.number(call, passage.request.headers.value("traceparent"));
    call.response_headers.clear();  // A deferred request comes by a second time.
    call.response_headers.add("Integreat-Request-Id", call.id.text);
    call.snapshot = passage.gateway.snapshots.current();
    call.tenant = platform_tenant;
    return true;
}

bool require_plain_target(Passage& passage) {
    auto checked = http::check_target(passage.request.target);
    if (checked) return true;
    return refuse(passage, "target",
                  refusal(400, "malformed-target", "The request target is not well-formed",
                          checked.error().message, checked.error().message));
}

bool find_route(Passage& passage) {
    auto& call = passage.call;
    const auto& snapshot = *call.snapshot;
    auto path = passage.request.path();
    auto match = snapshot.router.match(passage.request.method, path);
    if (auto* found = std::get_if<http::Match>(&match)) {
        call.route = found->route;
        call.parameters = std::move(found->parameters);
        passage.plan = &snapshot.plan_of(*call.route);
        passage.tenant = passage.plan->tenant;
        call.deadline = call.arrived + call.route->timeout;
    } else {
        passage.tenant = &snapshot.tenant_of_path(path);
        if (auto* wrong = std::get_if<http::WrongMethod>(&match)) passage.allow = std::move(wrong->allow);
    }
    call.tenant.text.assign(passage.tenant->tenant.text);
    return true;
}

bool answer_cross_origin(Passage& passage) {
    const auto& cors = passage.tenant->cors;
    if (!cors.enabled()) return true;
    const auto& headers = passage.request.headers;
    auto origin = headers.value("Origin");
    add_cors_fields(cors, origin, passage.call.response_headers);
    bool preflight = passage.request.method == http::Method::options && !passage.call.route &&
                     !origin.empty() && !passage.allow.empty() &&
                     headers.contains("Access-Control-Request-Method");
    return preflight ? answer_preflight(passage, origin) : true;
}

bool require_route(Passage& passage) {
    if (passage.call.route) return true;
    if (passage.allow.empty()) {
        return refuse(passage, "route",
                      refusal(404, "not-found", "There is nothing here",
                              "No route has this path; /docs lists them.", "no route matches the path"));
    }
    if (passage.request.method == http::Method::options) {
        passage.answer = http::Reply{.status = 204, .headers = {{"Allow", passage.allow}}};
        return false;
    }
    auto no = refusal(405, "method-not-allowed", "The path does not answer this method",
                      "Use one of: " + passage.allow + ".", "the path answers " + passage.allow + " only");
    no.problem.headers.add("Allow", passage.allow);
    return refuse(passage, "route", std::move(no));
}

bool limit_body(Passage& passage) {
    const auto& headers = passage.request.headers;
    auto limit = passage.call.route->body_bytes_max;
    auto length = declared_length(headers);
    bool too_large = length ? *length > limit : limit == 0 && headers.contains("Transfer-Encoding");
    if (!too_large) return true;
    auto no =
        refusal(413, "body-too-large", "The body is too large",
                limit == 0 ? "This route takes no body."
                           : "At most " + std::to_string(limit) + " bytes are accepted here.",
                "route " + passage.call.route->name + " takes at most " + std::to_string(limit) + " bytes");
    no.facts.emplace_back("Content-Length", length ? std::to_string(*length) : "(chunked)");
    return refuse(passage, "body", std::move(no));
}

bool identify_caller(Passage& passage) {
    auto& call = passage.call;
    auto authorization = passage.request.headers.get("Authorization");
    call.principal.reset();
    if (!authorization) return true;
    auto verdict =
        passage.gateway.identify(*authorization, call.snapshot->projects, call.may_wait, call.deadline);
    if (auto* principal = std::get_if<std::shared_ptr<const Principal>>(&verdict)) {
        if (!*principal) return true;
        bool stranger = (*principal)->tenant != call.tenant;
        // To a public route, another application's user is nobody: the upstream must not take them for one.
        bool nobody =
            stranger && call.route->access.who == http::Access::Who::anyone && call.tenant != platform_tenant;
        if (!nobody) call.principal = std::move(*principal);
        return true;
    }
    if (std::holds_alternative<identity::MustWait>(verdict)) {
        ASSERT(!call.may_wait);
        passage.answer = http::Defer{};
        return false;
    }
    // Guessing tokens costs us signatures: it is counted on the address that guesses.
    const auto& rate = passage.plan->rate;
    if (rate.limited()) {
        auto who = passage.gateway.buckets.key_of_address(passage.request.peer.address);
        auto taken = passage.gateway.buckets.take(rate, ~who, call.arrived);
        if (!taken.allowed) return refuse_rate(passage, rate, taken, "failed sign-ins of the address");
    }
    return refuse_identity(passage, std::get<identity::Denial>(std::move(verdict)));
}

bool authorize_caller(Passage& passage) {
    auto no = authorize(*passage.call.route, passage.call.principal.get());
    return no ? refuse(passage, "authorize", *std::move(no)) : true;
}

bool limit_rate(Passage& passage) {
    auto& call = passage.call;
    auto& buckets = passage.gateway.buckets;
    if (const auto& rate = passage.plan->rate; rate.limited()) {
        auto taken = buckets.take(rate, bucket_of(passage), call.arrived);
        if (!taken.allowed) return refuse_rate(passage, rate, taken, caller_of(call.principal.get()));
        add_rate_fields(rate, taken, call.response_headers);
    }
    if (const auto& rate = passage.tenant->rate; rate.limited()) {
        auto taken = buckets.take(rate, 0, call.arrived);
        if (!taken.allowed) {
            call.response_headers.remove("RateLimit");
            call.response_headers.remove("RateLimit-Policy");
            return refuse_rate(passage, rate, taken, "all callers of the application");
        }
    }
    return true;
}

Result<std::string> idempotency_key(const http::Route& route, const http::Headers& headers) {
    if (route.idempotency == http::Idempotency::off) return std::string();
    auto sent = headers.get("Idempotency-Key");
    if (!sent) return std::string();
    auto wrong = [](const char* why) { return Error{Fault::invalid, why, ""}; };
    if (headers.count("Idempotency-Key") > 1) return wrong("Idempotency-Key is sent twice.");
    bool string = sent->size() >= 2 && sent->front() == '"' && sent->back() == '"';
    auto body = string ? sent->substr(1, sent->size() - 2) : *sent;
    std::string key;
    for (std::size_t i = 0; i < body.size(); ++i) {
        auto byte = static_cast<unsigned char>(body[i]);
        bool escape =
            string && byte == '\\' && i + 1 < body.size() && (body[i + 1] == '"' || body[i + 1] == '\\');
        if (escape) byte = static_cast<unsigned char>(body[++i]);
        bool visible = byte > 0x20 && byte < 0x7f;
        bool allowed =
            string ? visible || byte == ' ' : visible && byte != ',' && byte != '"' && byte != '\\';
        if (!allowed || (string && !escape && (byte == '"' || byte == '\\'))) {
            return wrong("Idempotency-Key has a character that is not allowed in it.");
        }
        key += static_cast<char>(byte);
    }
    if (key.empty()) return wrong("Idempotency-Key is empty.");
    if (key.size() > 255) return wrong("Idempotency-Key is longer than 255 characters.");
    return key;
}

bool require_acceptable_head(Passage& passage) {
    const auto& route = *passage.call.route;
    const auto& headers = passage.request.headers;
    if (route.handler && !route.request_schema.empty() && has_body(headers) &&
        !takes(route, headers.value("Content-Type"))) {
        const auto& type = route.request_type;
        auto no = refusal(415, "unsupported-media-type", "The body has a type that is not accepted",
                          is_json(type) ? "Send JSON with Content-Type: " + type + "."
                                        : "Send it in UTF-8 with Content-Type: " + type + ".",
                          "Content-Type must be " + type);
        no.facts.emplace_back("Content-Type", quoted(headers.value("Content-Type")));
        no.problem.headers.add("Accept", type);
        return refuse(passage, "validate", std::move(no));
    }
    if (route.idempotency == http::Idempotency::off) return true;
    auto key = idempotency_key(route, headers);
    if (!key) {
        return refuse(passage, "idempotency",
                      refusal(400, "idempotency-key-invalid", "The Idempotency-Key is not valid",
                              key.error().message, "1 to 255 characters, quoted or bare, once"));
    }
    if (key->empty() && route.idempotency == http::Idempotency::required) {
        return refuse(
            passage, "idempotency",
            refusal(400, "idempotency-key-missing", "An Idempotency-Key is needed",
                    "Send Idempotency-Key with a fresh UUID; repeat it when you repeat the request.",
                    "route " + route.name + " requires an Idempotency-Key"));
    }
    return true;
}

bool dispatch(Passage& passage) {
    const auto& route = *passage.call.route;
    const auto& headers = passage.request.headers;
    bool once = route.idempotency != http::Idempotency::off && headers.contains("Idempotency-Key");
    if (route.upstream && !once) {
        passage.answer = make_relay(passage.plan->target, passage.request, passage.call);
    } else if (route.spools_body) {
        spool_body(passage);
    } else if (route.waits || once || passage.plan->schema || has_body(headers)) {
        passage.answer = http::ReadBody{.bytes_max = route.body_bytes_max,
                                        .waits = route.waits || once,
                                        .in_lane = route.in_lane && !once};
    } else {
        run_handler(passage);
    }
    return false;
}

bool require_valid_body(Passage& passage) {
    const auto& plan = *passage.plan;
    if (!plan.schema) return true;
    auto value = json::parse(passage.request.body, {.bytes_max = plan.route->body_bytes_max});
    if (!value) {
        return refuse(passage, "validate",
                      refusal(400, "malformed-json", "The body is not well-formed JSON",
                              value.error().message, "the body must be JSON"));
    }
    auto mistakes = validate(*plan.schema, *value);
    if (mistakes.empty()) return true;
    auto no = refusal(400, "invalid-request", "The request is not valid",
                      "The body does not fit; `errors` has each place.",
                      "the body must fit the schema of route " + plan.route->name);
    no.facts.emplace_back("first", mistakes.front().pointer + " " + mistakes.front().detail);
    no.problem.errors = std::move(mistakes);
    return refuse(passage, "validate", std::move(no));
}

void conclude(Passage& passage, const std::function<http::Response()>& work) {
    try {
        auto response = work();
        if (auto* reply = std::get_if<http::Reply>(&response)) {
            if (!passage.call.decision.stage.empty()) keep_decision(passage, reply->status);
            passage.answer = std::move(*reply);
        } else if (auto* stream = std::get_if<http::Stream>(&response)) {
            end_with_token(*stream, passage.call);
            passage.answer = std::move(*stream);
        } else if (auto* relay = std::get_if<http::Relay>(&response)) {
            passage.answer = std::move(*relay);
        } else if (auto* later = std::get_if<http::Later>(&response)) {
            passage.later = std::move(*later);
        } else {
            passage.answer = http::Defer{};
        }
    } catch (const std::exception& failure) {
        passage.call.cause = failure.what();
        refuse(passage, "handler",
               refusal(500, "internal", "Something went wrong on our side", "Report the request_id.",
                       "the handler of route " + passage.call.route->name + " failed"));
    }
}

bool run_handler(Passage& passage) {
    ASSERT(passage.call.route->handler);
    conclude(passage, [&] { return passage.call.route->handler(passage.request, passage.call); });
    return false;
}

}  // namespace integreat::gateway
