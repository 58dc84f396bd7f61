// SPDX-License-Identifier: Apache-2.0
// Bodies that may be large: they go to a spool as they come, and when all is there the route answers like any
// other. Nothing of it waits for the database before, so that a slow client holds no connection. Many of them
// would hold the disk: each body has one of its app's turns for as long as it lies there.
#include "gateway/pipeline/stages.h"
#include "http/transport/spooled_body.h"

namespace integreat::gateway {

namespace {

constexpr std::chrono::seconds turn_retry{10};

// A body on its way, and what it takes of what its app may have.
struct Spooled {
    Turn turn;
    http::Spool spool;
};

bool refuse_turn(Passage& passage) {
    auto problem = http::problem_from(
        {Fault::exhausted,
         "As many imports are on their way as may be at once: send it again when one is over.", ""});
    problem.retry_after = turn_retry;
    return refuse(passage, "body",
                  {.problem = std::move(problem), .rule = "imports.coming_at_once of integreat.yaml"});
}

http::Response refuse_spool(Gateway& gateway, const http::Request& request, http::Call& call,
                            const Error& error) {
    Passage passage{.gateway = gateway, .request = request, .call = call};
    call.cause = error.cause;
    refuse(passage, "body",
           {.problem = http::problem_from(error), .rule = "the body must have room in imports.folder"});
    return std::get<http::Reply>(*std::move(passage.answer));
}

}  // namespace

void spool_body(Passage& passage) {
    auto& gateway = passage.gateway;
    const auto& request = passage.request;
    auto& call = passage.call;
    auto& spooling = gateway.spooling;
    auto turn = spooling.turns.take(call.tenant, spooling.at_once);
    if (!turn) {
        refuse_turn(passage);
        return;
    }
    auto spooled = std::make_shared<Spooled>(Spooled{*std::move(turn), http::Spool(spooling.folder)});
    auto consume = [&gateway, &request, &call, spooled](std::string_view piece,
                                                        bool last) -> std::optional<http::Response> {
        if (auto kept = spooled->spool.append(piece); !kept)
            return refuse_spool(gateway, request, call, kept.error());
        if (!last) return {};
        // How long the body took to come is not the handler's time.
        call.deadline = gateway.clock.monotonic() + call.route->timeout;
        call.spooled = &spooled->spool;
        auto response = respond(gateway, request, call);
        call.spooled = nullptr;
        return response;
    };
    passage.answer = http::StreamBody{.bytes_max = call.route->body_bytes_max, .consume = std::move(consume)};
}

}  // namespace integreat::gateway
