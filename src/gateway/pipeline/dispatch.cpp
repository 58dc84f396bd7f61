// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/dispatch.h"

#include "gateway/pipeline/accept.h"
#include "gateway/pipeline/body_spooling.h"
#include "gateway/pipeline/handler.h"

namespace integreat::gateway {

bool dispatch(PipelineContext& context, Responder respond) {
    const auto& route = *context.request_context.route;
    const auto& headers = context.request.headers;
    bool idempotent = route.idempotency != http::Idempotency::off && headers.contains("Idempotency-Key");
    if (route.upstream && !idempotent) {
        context.result = make_proxy_request(context.route->target, context.request, context.request_context);
    } else if (route.spools_body) {
        spool_body(context, respond);
    } else if (route.blocking || idempotent || has_body(headers)) {
        context.result = http::ReadBody{.max_bytes = route.max_body_bytes,
                                        .blocking = route.blocking || idempotent,
                                        .single_query = route.single_query && !idempotent};
    } else {
        run_handler(context);
    }
    return false;
}

}  // namespace integreat::gateway
