// SPDX-License-Identifier: Apache-2.0
#include "http/application.h"

namespace integreat::http {

Response handle(const Application& application, const Request& request, Call& call) {
    call.may_wait = true;
    auto admission = application.admit(request, call);
    if (auto* reply = std::get_if<Reply>(&admission)) return std::move(*reply);
    if (auto* relay = std::get_if<Relay>(&admission)) return std::move(*relay);
    ASSERT(!std::holds_alternative<Defer>(admission));
    if (auto limit = std::get<ReadBody>(admission).bytes_max; request.body.size() > limit) {
        return application.reject(
            request, call,
            {.status = 413,
             .type = "body-too-large",
             .title = "The body is too large",
             .detail = "At most " + std::to_string(limit) + " bytes are accepted here."});
    }
    return application.answer(request, call);
}

}  // namespace integreat::http
