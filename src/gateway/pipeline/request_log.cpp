// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/request_log.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/logging/redact.h"
#include "json/value/writer.h"

namespace integreat::gateway {

namespace {

constexpr std::size_t logged_fields_max = 100;  // net/ accepts no more by default.
constexpr std::size_t logged_facts_max = 20;
constexpr std::size_t logged_body_bytes_max = 16 * 1024;

std::chrono::microseconds micros(std::chrono::nanoseconds duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration);
}

void count(const RouteSeries& series, const http::Outcome& outcome) {
    auto status_class = static_cast<std::size_t>(std::clamp(outcome.status / 100, 0, 5));
    series.by_class[status_class]->add();
    auto duration = std::max<std::int64_t>(micros(outcome.duration).count(), 0);
    series.duration->observe(static_cast<std::uint64_t>(duration));
}

std::string_view kind_of(const Principal* principal) {
    if (!principal || principal->kind == PrincipalKind::anonymous) return {};
    return principal->kind == PrincipalKind::key ? "key" : "user";
}

// `,"name":` and what follows is the caller's.
void member(std::string& line, std::string_view name) {
    line.append(",\"").append(name).append("\":");
}

void text_member(std::string& line, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    member(line, name);
    json::append_json(line, value);
}

void number_member(std::string& line, std::string_view name, std::int64_t value) {
    member(line, name);
    json::append_number(line, value);
}

void append_line(std::string& line, const http::Request& request, const http::Call& call,
                 const http::Outcome& outcome, std::string_view target) {
    line += "{\"time\":\"";
    json::append_time(line, call.started);
    line += '"';
    text_member(line, "request_id", call.id.text);
    text_member(line, "trace", call.trace.trace_id);
    text_member(line, "tenant", call.tenant.text);
    if (auto kind = kind_of(call.principal.get()); !kind.empty()) {
        text_member(line, "principal", std::string(kind).append(":").append(call.principal->subject));
    }
    text_member(line, "method", to_string(request.method));
    if (call.route) text_member(line, "route", call.route->name);
    text_member(line, "path", target);
    number_member(line, "status", outcome.status);
    number_member(line, "bytes", static_cast<std::int64_t>(outcome.response_body_bytes));
    number_member(line, "duration_us", micros(outcome.duration).count());
    if (outcome.upstream_duration.count() > 0) {
        number_member(line, "upstream_us", micros(outcome.upstream_duration).count());
    }
    text_member(line, "decision", call.decision.type);
    if (!outcome.complete) line += ",\"complete\":false";
    line += '}';
}

// Where in the world the caller is, as CloudFront says: believed only behind a proxy that we were told of,
// since anyone can send these fields.
void add_place(gateway::LogRow& row, const http::Headers& headers) {
    row.country = headers.value("CloudFront-Viewer-Country");
    if (row.country.empty()) return;
    row.region = headers.value("CloudFront-Viewer-Country-Region");
    row.city = headers.value("CloudFront-Viewer-City");
    row.zip = headers.value("CloudFront-Viewer-Postal-Code");
    auto degrees = [&](std::string_view name) -> std::optional<double> {
        auto text = headers.value(name);
        double number = 0;
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
        bool whole = failure == std::errc() && end == text.data() + text.size() && !text.empty();
        return whole && number >= -180 && number <= 180 ? std::optional(number) : std::nullopt;
    };
    row.latitude = degrees("CloudFront-Viewer-Latitude");
    row.longitude = degrees("CloudFront-Viewer-Longitude");
}

std::size_t redact_fields(const http::Headers& headers,
                          std::array<gateway::LogField, logged_fields_max>& fields) {
    std::size_t count = 0;
    for (auto [name, value] : headers) {
        if (count == fields.size()) break;
        fields[count++] = {name, sensitive_name(name) || sensitive_value(value) ? redacted : value};
    }
    return count;
}

// "v1" of "/v1/apps/...".
std::string_view version_of(std::string_view path) {
    auto segment = path.substr(std::min<std::size_t>(1, path.size()));
    segment = segment.substr(0, segment.find('/'));
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    bool version = segment.size() >= 2 && segment.size() <= 4 && segment.front() == 'v' &&
                   std::all_of(segment.begin() + 1, segment.end(), digit);
    return version ? segment : std::string_view();
}

void append_row(gateway::TransactionLog& log, const http::Request& request, const http::Call& call,
                const http::Outcome& outcome, std::string_view target) {
    gateway::LogRow row{.created = call.started,
                        .request_id = call.id.text,
                        .trace_id = call.trace.trace_id,
                        .tenant = call.tenant.text,
                        .principal_kind = kind_of(call.principal.get()),
                        .destination = platform_tenant.text,
                        .api_version = version_of(request.path()),
                        .method = to_string(request.method),
                        .url = target,
                        .status = outcome.status,
                        .response_bytes = outcome.response_body_bytes,
                        .response_body = call.response_body,
                        .duration = micros(outcome.duration),
                        .error_type = call.decision.type,
                        .cause = call.cause,
                        .decision_stage = call.decision.stage,
                        .decision_rule = call.decision.rule,
                        .client_ip = request.peer.address};
    if (call.principal) {
        row.principal = call.principal->subject;
        row.role = call.principal->role;
    }
    std::string destination, body;
    if (call.route) {
        row.route = call.route->name;
        if (call.route->log_bodies)
            row.request_body = body = redact_body(request.body, logged_body_bytes_max);
        if (const auto& upstream = call.route->upstream) {
            destination.append(upstream->tenant.text).append("/").append(upstream->name);
            row.destination = destination;
        }
    }
    if (outcome.upstream_duration.count() > 0) row.upstream_duration = micros(outcome.upstream_duration);
    std::array<gateway::LogField, logged_fields_max> fields;
    row.request_headers = {fields.data(), redact_fields(request.headers, fields)};
    std::array<gateway::LogField, logged_facts_max> facts;
    auto facts_count = std::min(facts.size(), call.decision.facts.size());
    for (std::size_t i = 0; i < facts_count; ++i) {
        facts[i] = {call.decision.facts[i].first, call.decision.facts[i].second};
    }
    row.decision_facts = {facts.data(), facts_count};
    if (call.snapshot->behind_proxy) add_place(row, request.headers);
    log.append(row);  // What is lost is counted there.
}

}  // namespace

void write_journal(Gateway& gateway, const http::Request& request, const http::Call& call,
                   const http::Outcome& outcome) {
    ASSERT(call.snapshot);  // admit and reject both took one.
    count(call.route ? call.snapshot->plan_of(*call.route).series : call.snapshot->unrouted, outcome);
    if (!gateway.access_log && !gateway.transaction_log) return;
    std::string target;
    append_redacted_target(target, request.target);
    if (gateway.access_log) {
        gateway.access_log->line(
            [&](std::string& line) { append_line(line, request, call, outcome, target); });
    }
    if (gateway.transaction_log) append_row(*gateway.transaction_log, request, call, outcome, target);
}

}  // namespace integreat::gateway
