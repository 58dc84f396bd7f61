// SPDX-License-Identifier: Apache-2.0
#include "http/routing/request_context.h"

#include "http/message/problem.h"

namespace integreat::http {

std::string_view RequestContext::parameter(std::string_view name) const {
    for (const auto& [key, value] : parameters) {
        if (key == name) return value;
    }
    return {};
}

void clear(RequestContext& context) {
    context.id.text.clear();
    context.trace.trace_id.clear();
    context.trace.parent_id.clear();
    context.trace.sampled = false;
    context.started = {};
    context.arrived = {};
    context.deadline = Monotonic::max();
    context.may_block = false;
    context.finished_stages = 0;
    context.attachments.clear();
    context.problem_base_url = default_problem_base_url;
    context.route = nullptr;
    context.parameters.clear();
    context.tenant.text.clear();
    context.principal.reset();
    context.decision.stage.clear();
    context.decision.type.clear();
    context.decision.rule.clear();
    context.decision.facts.clear();
    context.cause.clear();
    context.records = 0;
    context.records_wait = {};
    context.spooled_body = nullptr;
    context.replay_body.clear();
    context.response_body.clear();
    context.response_headers.clear();
}

FullResponse to_response(const Problem& problem, const RequestContext& context) {
    return to_response(problem, context.id.text, context.problem_base_url);
}

}  // namespace integreat::http
