// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/dispatch.h"

#include "gateway/stages/accept.h"
#include "gateway/stages/body.h"
#include "gateway/stages/handler.h"

namespace integreat::gateway {

using http::Execution;

bool dispatch(PipelineContext& context, Responder respond) {
    const auto& route = *context.request_context.route;
    const auto& headers = context.request.headers;
    bool idempotent = route.idempotency != http::Idempotency::off && headers.contains("Idempotency-Key");
    if (route.upstream && !idempotent) {
        context.result = make_proxy_request(context.route->target, context.request, context.request_context);
        return false;
    }
    auto execution = route.execution;
    // The record of the key is read and written with several queries.
    if (idempotent && execution != Execution::spooled) execution = Execution::blocking;
    if (execution == Execution::spooled) {
        spool_body(context, respond);
    } else if (execution == Execution::on_io_thread && !has_body(headers)) {
        run_handler(context);
        // The request is admitted; only its handler must block.
        if (std::holds_alternative<http::NeedsBlockingThread>(*context.result))
            context.result = http::ReadBody{.execution = Execution::blocking};
    } else {
        context.result = http::ReadBody{.max_bytes = route.max_body_bytes, .execution = execution};
    }
    return false;
}

}  // namespace integreat::gateway
