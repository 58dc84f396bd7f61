// SPDX-License-Identifier: Apache-2.0
#include "http/transport/application.h"

#include <condition_variable>

#include "base/concurrency/synchronized.h"

namespace integreat::http {

namespace {

Problem too_large(std::uint64_t max_bytes) {
    return problem(ProblemType::body_too_large,
                   "At most " + std::to_string(max_bytes) + " bytes are accepted here.");
}

// State shared with the callback of a pending response, which may outlive the request.
struct ReadyFlag {
    Synchronized<bool> raised{false};
    std::condition_variable changed;
};

// Waits until the response is ready. Returns false once the time of the request is over.
bool wait_until_ready(const PendingResponse& pending, const RequestContext& context) {
    auto flag = std::make_shared<ReadyFlag>();
    pending.on_ready([flag](bool) {
        *flag->raised.lock() = true;
        flag->changed.notify_all();
    });
    auto raised = flag->raised.lock();
    auto is_raised = [&] { return *raised; };
    if (context.deadline == Monotonic::max()) {
        flag->changed.wait(raised.lock(), is_raised);
        return true;
    }
    return flag->changed.wait_for(raised.lock(), context.deadline - context.arrived, is_raised);
}

Response complete(const Application& application, const Request& request, RequestContext& context,
                  Response response) {
    auto* pending = std::get_if<PendingResponse>(&response);
    if (!pending) return response;
    if (!wait_until_ready(*pending, context))
        return application.reject(request, context, not_ready_in_time());
    return pending->complete();
}

}  // namespace

Problem not_ready_in_time() {
    return problem(ProblemType::unavailable,
                   "The response was not ready before the deadline of the request. Try again.",
                   std::chrono::seconds(1));
}

Response handle(const Application& application, const Request& request, RequestContext& context) {
    context.may_block = true;
    auto admission = application.admit(request, context);
    if (auto* response = std::get_if<FullResponse>(&admission)) return std::move(*response);
    if (auto* proxied = std::get_if<ProxyRequest>(&admission)) return std::move(*proxied);
    if (auto* stream = std::get_if<StreamingResponse>(&admission)) return std::move(*stream);
    if (auto* pending = std::get_if<PendingResponse>(&admission))
        return complete(application, request, context, std::move(*pending));
    ASSERT(!std::holds_alternative<NeedsBlockingThread>(admission));
    if (auto* stream_body = std::get_if<StreamBody>(&admission)) {
        if (request.body.size() > stream_body->max_bytes) {
            return application.reject(request, context, too_large(stream_body->max_bytes));
        }
        auto response = stream_body->consume(request.body, true);
        ASSERT(response);
        return complete(application, request, context, *std::move(response));
    }
    if (auto limit = std::get<ReadBody>(admission).max_bytes; request.body.size() > limit) {
        return application.reject(request, context, too_large(limit));
    }
    return complete(application, request, context, application.handle(request, context));
}

}  // namespace integreat::http
