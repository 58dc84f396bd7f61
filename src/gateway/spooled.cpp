// SPDX-License-Identifier: Apache-2.0
// Bodies that may be large: they go to a spool as they come, and when all is there the route answers like any
// other. Nothing of it waits for the database before, so that a slow client holds no connection.
#include "gateway/stages.h"
#include "http/spool.h"

namespace integreat::gateway {

namespace {

http::Response refuse_spool(Gateway& gateway, const http::Request& request, http::Call& call,
                            const Error& error) {
    Passage passage{.gateway = gateway, .request = request, .call = call};
    call.cause = error.cause;
    refuse(passage, "body",
           {.problem = http::problem_from(error), .rule = "the body must have room in imports.folder"});
    return std::get<http::Reply>(*std::move(passage.answer));
}

}  // namespace

http::StreamBody spool_body(Passage& passage) {
    auto& gateway = passage.gateway;
    const auto& request = passage.request;
    auto& call = passage.call;
    auto spool = std::make_shared<http::Spool>(gateway.spool_folder);
    auto consume = [&gateway, &request, &call, spool](std::string_view piece,
                                                      bool last) -> std::optional<http::Response> {
        if (auto kept = spool->append(piece); !kept)
            return refuse_spool(gateway, request, call, kept.error());
        if (!last) return {};
        // How long the body took to come is not the handler's time.
        call.deadline = gateway.clock.monotonic() + call.route->timeout;
        call.spooled = spool.get();
        auto response = respond(gateway, request, call);
        call.spooled = nullptr;
        return response;
    };
    return {.bytes_max = call.route->body_bytes_max, .consume = std::move(consume)};
}

}  // namespace integreat::gateway
