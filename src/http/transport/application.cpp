// SPDX-License-Identifier: Apache-2.0
#include "http/transport/application.h"

namespace integreat::http {

namespace {

Problem too_large(std::uint64_t max_bytes) {
    return problem(ProblemType::body_too_large,
                   "At most " + std::to_string(max_bytes) + " bytes are accepted here.");
}

}  // namespace

Response handle(const Application& application, const Request& request, RequestContext& context) {
    context.may_block = true;
    auto admission = application.admit(request, context);
    if (auto* response = std::get_if<FullResponse>(&admission)) return std::move(*response);
    if (auto* proxied = std::get_if<ProxyRequest>(&admission)) return std::move(*proxied);
    if (auto* stream = std::get_if<StreamingResponse>(&admission)) return std::move(*stream);
    ASSERT(!std::holds_alternative<NeedsBlockingThread>(admission));
    if (auto* stream_body = std::get_if<StreamBody>(&admission)) {
        if (request.body.size() > stream_body->max_bytes) {
            return application.reject(request, context, too_large(stream_body->max_bytes));
        }
        auto response = stream_body->consume(request.body, true);
        ASSERT(response);
        return *std::move(response);
    }
    if (auto limit = std::get<ReadBody>(admission).max_bytes; request.body.size() > limit) {
        return application.reject(request, context, too_large(limit));
    }
    return application.handle(request, context);
}

}  // namespace integreat::http
