// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/request_log.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text/ascii.h"
#include "gateway/logging/redact.h"
#include "json/value/writer.h"

namespace integreat::gateway {

namespace {

constexpr std::size_t logged_fields_max = 100;  // Default limit of the server.
constexpr std::size_t logged_facts_max = 20;
constexpr std::size_t unrouted_target_bytes_max = 256;

std::chrono::microseconds to_us(std::chrono::nanoseconds duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration);
}

void count_request(const RouteSeries& series, const http::RequestSummary& summary) {
    auto status_class = static_cast<std::size_t>(std::clamp(summary.status / 100, 0, 5));
    series.by_class[status_class]->add();
    auto duration = std::max<std::int64_t>(to_us(summary.duration).count(), 0);
    series.duration->observe(static_cast<std::uint64_t>(duration));
}

std::string_view principal_kind(const Principal* principal) {
    if (!principal || principal->kind == PrincipalKind::anonymous) return {};
    return principal->kind == PrincipalKind::key ? "key" : "user";
}

// Appends `,"name":`; the caller appends the value.
void append_name(std::string& line, std::string_view name) {
    line.append(",\"").append(name).append("\":");
}

void append_text_member(std::string& line, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    append_name(line, name);
    json::append_json(line, value);
}

void append_number_member(std::string& line, std::string_view name, std::int64_t value) {
    append_name(line, name);
    json::append_number(line, value);
}

void append_access_line(std::string& line, const http::Request& request, const http::RequestContext& context,
                        const http::RequestSummary& summary, std::string_view target) {
    line += "{\"time\":\"";
    json::append_time(line, context.started);
    line += '"';
    append_text_member(line, "request_id", context.id.text);
    append_text_member(line, "trace", context.trace.trace_id);
    append_text_member(line, "tenant", context.tenant.text);
    if (auto kind = principal_kind(context.principal.get()); !kind.empty()) {
        append_text_member(line, "principal",
                           std::string(kind).append(":").append(context.principal->subject));
    }
    append_text_member(line, "method", to_string(request.method));
    if (context.route) append_text_member(line, "route", context.route->name);
    append_text_member(line, "path", target);
    append_number_member(line, "status", summary.status);
    append_number_member(line, "bytes", static_cast<std::int64_t>(summary.response_body_bytes));
    append_number_member(line, "duration_us", to_us(summary.duration).count());
    if (summary.upstream_duration.count() > 0) {
        append_number_member(line, "upstream_us", to_us(summary.upstream_duration).count());
    }
    append_text_member(line, "decision", context.decision.type);
    if (!summary.complete) line += ",\"complete\":false";
    line += '}';
}

// Adds the client's location as CloudFront reports it. Used only behind a configured proxy, since any client
// can send these headers.
void add_location(LogRow& row, const http::Headers& headers) {
    row.country = headers.value("CloudFront-Viewer-Country");
    if (row.country.empty()) return;
    row.region = headers.value("CloudFront-Viewer-Country-Region");
    row.city = headers.value("CloudFront-Viewer-City");
    row.zip = headers.value("CloudFront-Viewer-Postal-Code");
    auto parse_degrees = [&](std::string_view name) -> std::optional<double> {
        auto text = headers.value(name);
        double number = 0;
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
        bool whole = failure == std::errc() && end == text.data() + text.size() && !text.empty();
        return whole && number >= -180 && number <= 180 ? std::optional(number) : std::nullopt;
    };
    row.latitude = parse_degrees("CloudFront-Viewer-Latitude");
    row.longitude = parse_degrees("CloudFront-Viewer-Longitude");
}

std::size_t redact_headers(const http::Headers& headers, std::array<LogField, logged_fields_max>& fields) {
    std::size_t count = 0;
    for (auto [name, value] : headers) {
        if (count == fields.size()) break;
        fields[count++] = {name, is_sensitive_name(name) || is_sensitive_value(value) ? redacted : value};
    }
    return count;
}

// Returns "v1" for "/v1/apps/..."; empty if the path has no version.
std::string_view find_api_version(std::string_view path) {
    auto segment = path.substr(std::min<std::size_t>(1, path.size()));
    segment = segment.substr(0, segment.find('/'));
    bool version = segment.size() >= 2 && segment.size() <= 4 && segment.front() == 'v' &&
                   std::all_of(segment.begin() + 1, segment.end(), is_digit);
    return version ? segment : std::string_view();
}

// Returns whether a stranger made the request: it has no route, or no sign-in that it needs. Any number of
// such requests may come, so that their rows are short, and sampled during a flood.
bool is_unrouted(const http::RequestContext& context, const http::RequestSummary& summary) {
    return !context.route || (!context.principal && (summary.status == 401 || summary.status == 429));
}

// Redacts the beginning of the target only, twice as much of it as is kept: a value cut by the end is not
// recognized as sensitive.
std::string redact_unrouted_target(std::string_view target) {
    std::string text;
    append_redacted_target(text, target.substr(0, 2 * unrouted_target_bytes_max));
    if (text.size() > unrouted_target_bytes_max) text.resize(unrouted_target_bytes_max);
    return text;
}

void append_row(TransactionLog& log, const http::Request& request, const http::RequestContext& context,
                const http::RequestSummary& summary, std::string_view target) {
    LogRow row{.created = context.started,
               .request_id = context.id.text,
               .trace_id = context.trace.trace_id,
               .tenant = context.tenant.text,
               .principal_kind = principal_kind(context.principal.get()),
               .destination = platform_tenant.text,
               .api_version = find_api_version(request.path()),
               .method = to_string(request.method),
               .url = target,
               .status = summary.status,
               .response_bytes = summary.response_body_bytes,
               .response_body = context.response_body,
               .duration = to_us(summary.duration),
               .error_type = context.decision.type,
               .cause = context.cause,
               .decision_stage = context.decision.stage,
               .decision_rule = context.decision.rule,
               .client_ip = request.peer.address};
    if (context.principal) {
        row.principal = context.principal->subject;
        row.role = context.principal->role;
    }
    std::string destination, body;
    if (context.route) {
        row.route = context.route->name;
        if (context.route->log_bodies)
            row.request_body = body = redact_body(request.body, logged_body_bytes_max);
        if (const auto& upstream = context.route->upstream) {
            destination.append(upstream->tenant.text).append("/").append(upstream->name);
            row.destination = destination;
        }
    }
    if (summary.upstream_duration.count() > 0) row.upstream_duration = to_us(summary.upstream_duration);
    std::array<LogField, logged_fields_max> fields;
    if (!is_unrouted(context, summary))
        row.request_headers = {fields.data(), redact_headers(request.headers, fields)};
    std::array<LogField, logged_facts_max> facts;
    auto facts_count = std::min(facts.size(), context.decision.facts.size());
    for (std::size_t i = 0; i < facts_count; ++i) {
        facts[i] = {context.decision.facts[i].first, context.decision.facts[i].second};
    }
    row.decision_facts = {facts.data(), facts_count};
    if (current_snapshot(context).behind_proxy) add_location(row, request.headers);
    log.append(row);  // Counts lost rows itself.
}

}  // namespace

void log_request(Gateway& gateway, const http::Request& request, const http::RequestContext& context,
                 const http::RequestSummary& summary) {
    const auto& snapshot = current_snapshot(context);  // Attached by admit and by reject.
    count_request(context.route ? snapshot.compiled(*context.route).series : snapshot.unrouted, summary);
    if (!gateway.access_log && !gateway.transaction_log) return;
    bool unrouted = is_unrouted(context, summary);
    auto* log = gateway.transaction_log;
    bool logged = log && (!unrouted || log->sample_unrouted(context.started));
    if (!logged && !gateway.access_log) return;
    std::string target;
    if (unrouted)
        target = redact_unrouted_target(request.target);
    else
        append_redacted_target(target, request.target);
    if (gateway.access_log) {
        gateway.access_log->line(
            [&](std::string& line) { append_access_line(line, request, context, summary, target); });
    }
    if (logged) append_row(*log, request, context, summary, target);
}

}  // namespace integreat::gateway
