// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/request_id.h"

namespace integreat::gateway {

bool assign_request_id(PipelineContext& context) {
    auto& request_context = context.request_context;
    if (request_context.id.empty()) {
        context.gateway.request_ids.assign(request_context, context.request.headers.value("traceparent"));
    }
    request_context.response_headers.add("Integreat-Request-Id", request_context.id.text);
    auto snapshot = context.gateway.snapshots.current();
    request_context.problem_base_url = snapshot->problem_base_url;
    request_context.attachments.keep(std::move(snapshot));
    request_context.tenant = platform_tenant;
    return true;
}

}  // namespace integreat::gateway
