// SPDX-License-Identifier: Apache-2.0
#include "http/transport/application.h"

namespace integreat::http {

namespace {

Problem too_large(std::uint64_t bytes_max) {
    return {.status = 413,
            .type = "body-too-large",
            .title = "The body is too large",
            .detail = "At most " + std::to_string(bytes_max) + " bytes are accepted here."};
}

}  // namespace

Response handle(const Application& application, const Request& request, Call& call) {
    call.may_wait = true;
    auto admission = application.admit(request, call);
    if (auto* reply = std::get_if<Reply>(&admission)) return std::move(*reply);
    if (auto* relay = std::get_if<Relay>(&admission)) return std::move(*relay);
    if (auto* stream = std::get_if<Stream>(&admission)) return std::move(*stream);
    ASSERT(!std::holds_alternative<Defer>(admission));
    if (auto* stream = std::get_if<StreamBody>(&admission)) {
        if (request.body.size() > stream->bytes_max) {
            return application.reject(request, call, too_large(stream->bytes_max));
        }
        auto answer = stream->consume(request.body, true);
        ASSERT(answer);
        return *std::move(answer);
    }
    if (auto limit = std::get<ReadBody>(admission).bytes_max; request.body.size() > limit) {
        return application.reject(request, call, too_large(limit));
    }
    return application.answer(request, call);
}

}  // namespace integreat::http
