// SPDX-License-Identifier: Apache-2.0
#include "gateway/journal.h"

#include <algorithm>

#include "gateway/json_text.h"
#include "gateway/redact.h"

namespace integreat::gateway {

namespace {

std::int64_t micros(std::chrono::nanoseconds duration) {
    return duration.count() / 1000;
}

void count(const RouteSeries& series, const http::Outcome& outcome) {
    auto status_class = static_cast<std::size_t>(std::clamp(outcome.status / 100, 0, 5));
    series.by_class[status_class]->add();
    series.duration->observe(static_cast<std::uint64_t>(std::max<std::int64_t>(micros(outcome.duration), 0)));
}

// `,"name":` and what follows is the caller's.
void member(std::string& line, std::string_view name) {
    line.append(",\"").append(name).append("\":");
}

void text_member(std::string& line, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    member(line, name);
    append_json(line, value);
}

void number_member(std::string& line, std::string_view name, std::int64_t value) {
    member(line, name);
    append_number(line, value);
}

void append_line(std::string& line, const http::Request& request, const http::Call& call,
                 const http::Outcome& outcome, std::string_view target) {
    line += "{\"time\":\"";
    append_time(line, call.started);
    line += '"';
    text_member(line, "request_id", call.id.text);
    text_member(line, "trace", call.trace.trace_id);
    text_member(line, "tenant", call.tenant.text);
    if (call.principal) {
        std::string caller(call.principal->kind == PrincipalKind::key ? "key:" : "user:");
        text_member(line, "principal", caller += call.principal->subject);
    }
    member(line, "method");
    line.append("\"").append(to_string(request.method)).append("\"");
    if (call.route) text_member(line, "route", call.route->name);
    text_member(line, "path", target);
    number_member(line, "status", outcome.status);
    number_member(line, "bytes", static_cast<std::int64_t>(outcome.response_body_bytes));
    number_member(line, "duration_us", micros(outcome.duration));
    if (outcome.upstream_duration.count() > 0) {
        number_member(line, "upstream_us", micros(outcome.upstream_duration));
    }
    text_member(line, "decision", call.decision.type);
    if (!outcome.complete) line += ",\"complete\":false";
    line += '}';
}

}  // namespace

void write_journal(Gateway& gateway, const http::Request& request, const http::Call& call,
                   const http::Outcome& outcome) {
    ASSERT(call.snapshot);  // admit and reject both took one.
    count(call.route ? call.snapshot->plan_of(*call.route).series : call.snapshot->unrouted, outcome);
    if (!gateway.access_log) return;
    gateway.access_log->line([&](std::string& line) {
        std::string target;
        append_redacted_target(target, request.target);
        append_line(line, request, call, outcome, target);
    });
}

}  // namespace integreat::gateway
