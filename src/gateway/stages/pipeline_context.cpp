// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/pipeline_context.h"

#include "gateway/logging/redact.h"

namespace integreat::gateway {

Rejection make_rejection(http::ProblemType type, std::string detail, std::string rule) {
    return {.problem = http::problem(type, std::move(detail)), .rule = std::move(rule), .facts = {}};
}

bool reject(PipelineContext& context, std::string_view stage, Rejection rejection) {
    auto& request_context = context.request_context;
    request_context.decision = {.stage = std::string(stage),
                                .type = std::string(rejection.problem.slug()),
                                .rule = std::move(rejection.rule),
                                .facts = std::move(rejection.facts)};
    record_decision(context, rejection.problem.status);
    context.result = to_response(rejection.problem, request_context);
    return false;
}

void record_decision(PipelineContext& context, int status) {
    const auto& request_context = context.request_context;
    DenialRecord record{.request_id = request_context.id.text,
                        .time = request_context.started,
                        .tenant = request_context.tenant,
                        .route = request_context.route ? request_context.route->name : std::string(),
                        .method = std::string(to_string(context.request.method)),
                        .path = {},
                        .status = status,
                        .caller = describe_caller(request_context.principal.get()),
                        .decision = request_context.decision,
                        .cause = request_context.cause};
    append_redacted_target(record.path, context.request.target);
    context.gateway.denial_log.add(std::move(record));
}

}  // namespace integreat::gateway
