// SPDX-License-Identifier: Apache-2.0
#include "http/routing/request_context.h"

namespace integreat::http {

std::string_view Call::parameter(std::string_view name) const {
    for (const auto& [known, value] : parameters) {
        if (known == name) return value;
    }
    return {};
}

void clear(Call& call) {
    call.id.text.clear();
    call.trace.trace_id.clear();
    call.trace.parent_id.clear();
    call.trace.sampled = false;
    call.started = {};
    call.arrived = {};
    call.deadline = Monotonic::max();
    call.may_wait = false;
    call.snapshot.reset();
    call.route = nullptr;
    call.parameters.clear();
    call.tenant.text.clear();
    call.principal.reset();
    call.decision.stage.clear();
    call.decision.type.clear();
    call.decision.rule.clear();
    call.decision.facts.clear();
    call.cause.clear();
    call.transaction = nullptr;
    call.spooled = nullptr;
    call.lane = nullptr;
    call.replay_body.clear();
    call.response_body.clear();
    call.response_headers.clear();
}

}  // namespace integreat::http
