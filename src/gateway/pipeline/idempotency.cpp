// SPDX-License-Identifier: Apache-2.0
// Idempotency-Key: the work is done once. A transactional route's work and the record of its key are one
// transaction of its tenant's database: there are both or neither. All other work is done under a lease
// there that is taken before and settled after. Of what was interrupted nobody knows whether it happened, so
// it is not done again, unless the upstream honours the key itself. Relays are sent whole, not streamed.
#include "crypto/hasher.h"
#include "gateway/pipeline/stages.h"
#include "gateway/routing/upstream_request.h"
#include "http/message/proxy_headers.h"
#include "http/transport/spooled_body.h"

namespace integreat::gateway {

namespace {

constexpr int attempts_max = 3;
constexpr std::size_t spool_piece_bytes = 64 * 1024;
constexpr std::chrono::seconds lease_margin{10};  // Beyond the longest the upstream may take.

bool unavailable(Passage& passage, const Error& error) {
    passage.call.cause = error.cause;
    auto problem = http::problem_from(error);
    return refuse(passage, "idempotency",
                  {.problem = std::move(problem), .rule = "the key's record must be readable"});
}

bool replay(Passage& passage, gateway::StoredResponse stored) {
    http::Reply reply{.status = stored.status, .body = std::move(stored.body)};
    for (const auto& [name, value] : stored.headers)
        reply.headers.add(name, value);
    reply.headers.add("Idempotent-Replayed", "true");
    passage.answer = std::move(reply);
    return false;
}

bool refuse_claim(Passage& passage, const gateway::Claim& claim) {
    if (std::holds_alternative<gateway::Mismatch>(claim)) {
        return refuse(passage, "idempotency",
                      refusal(422, "idempotency-key-reused", "The Idempotency-Key belongs to another request",
                              "Use a fresh key for a new request.",
                              "method, target and body must be those the key was first used with"));
    }
    if (std::holds_alternative<gateway::StillRunning>(claim)) {
        auto no = refusal(409, "idempotency-key-in-use", "The same request is still running",
                          "Send it again shortly: the first answer will be repeated.",
                          "one request per key at a time");
        no.problem.retry_after = std::chrono::seconds(1);
        return refuse(passage, "idempotency", std::move(no));
    }
    return refuse(
        passage, "idempotency",
        refusal(409, "outcome-unknown", "Whether it was done is not known",
                "An earlier request with this key broke off. Look at what it would have changed.",
                "an interrupted request is sent again only to an upstream with `idempotent: true`"));
}

gateway::StoredResponse stored_of(const http::Reply& reply, const http::Call& call) {
    gateway::StoredResponse stored{.status = reply.status,
                                   .body = call.replay_body.empty() ? reply.body : call.replay_body};
    for (auto [name, value] : reply.headers)
        stored.headers.emplace_back(name, value);
    return stored;
}

http::OutboundRequest outbound_of(const Passage& passage) {
    const auto& upstream = *passage.call.route->upstream;
    auto relay = make_relay(passage.plan->target, passage.request, passage.call);
    bool address = upstream.host.find(':') != std::string::npos;
    http::OutboundRequest out{.method = passage.request.method,
                              .url = std::string(upstream.secure ? "https://" : "http://") +
                                     (address ? "[" : "") + upstream.host + (address ? "]:" : ":") +
                                     std::to_string(upstream.port) + upstream.path_prefix + relay.target,
                              .headers = std::move(relay.headers),
                              .body = passage.request.body,
                              .timeout = upstream.response_timeout,
                              .response_bytes_max = gateway::stored_body_bytes_max,
                              .upstream = passage.call.route->upstream};
    out.headers.add("X-Forwarded-For", passage.request.peer.address);
    out.headers.add("X-Forwarded-Proto", passage.request.secure ? "https" : "http");
    if (auto host = passage.request.headers.get("Host")) out.headers.add("X-Forwarded-Host", *host);
    return out;
}

bool refuse_upstream(Passage& passage, const Error& error, bool sent) {
    passage.call.cause = error.cause;
    if (error.fault == Fault::exhausted) {
        auto no = refusal(503, "upstream-circuit-open", "The server behind this route is failing",
                          "It failed repeatedly and is given a pause; the key may be used again.",
                          "the upstream's circuit must be closed");
        no.problem.retry_after =
            std::chrono::ceil<std::chrono::seconds>(passage.call.route->upstream->breaker_open);
        return refuse(passage, "relay", std::move(no));
    }
    return refuse(
        passage, "relay",
        sent ? refusal(504, "upstream-timeout", "The server behind this route did not answer in time",
                       "Whether the request had an effect is not known.", "the upstream must answer whole")
             : refusal(502, "upstream-unreachable", "The server behind this route cannot be reached",
                       "Nothing was sent; the same Idempotency-Key may be used again.",
                       "the upstream must accept the request"));
}

bool relay_once(Passage& passage, const gateway::IdempotencyKey& key, const gateway::Claimed& claimed) {
    auto& pool = *passage.gateway.database;
    auto deadline = passage.gateway.clock.monotonic() + lease_margin;
    auto fetched = passage.gateway.outbound->fetch(outbound_of(passage));
    if (!fetched) {
        bool sent = !fetched.error().cause.starts_with("not_sent: ");
        if (!sent) {
            auto released = gateway::release(pool, key, claimed, deadline);
            if (!released) return unavailable(passage, released.error());
        }
        return refuse_upstream(passage, fetched.error(), sent);
    }
    http::Reply reply{.status = fetched->status, .body = std::move(fetched->body)};
    http::Headers passing;
    append_end_to_end(passing, fetched->headers);
    for (auto [name, value] : passing) {
        if (http::goes_on(name, passage.call.response_headers)) reply.headers.add(name, value);
    }
    deadline = passage.gateway.clock.monotonic() + lease_margin;
    bool passing_trouble = reply.status >= 500 || reply.status == 429;
    auto kept = passing_trouble
                    ? gateway::release(pool, key, claimed, deadline)
                    : gateway::settle(pool, key, claimed, stored_of(reply, passage.call), deadline);
    // The upstream has done it: its answer is worth more to the caller than our trouble to remember it.
    if (!kept) passage.call.cause = "the answer could not be kept: " + kept.error().cause;
    passage.answer = std::move(reply);
    return false;
}

// Only what is whole can be kept and repeated: a route whose answers stream takes no key and no part in a
// transaction. Nothing was kept here, so what the handler did in a transaction is undone, and a lease stays.
bool refuse_stream(Passage& passage) {
    passage.call.cause = "the handler of route " + passage.call.route->name +
                         " streams its answer, which cannot be kept for an Idempotency-Key";
    return refuse(passage, "idempotency",
                  refusal(500, "internal", "Something went wrong on our side", "Report the request_id.",
                          "an answer that is kept must be whole"));
}

// After an answer of 5xx part of the work may be done: the key stays locked until somebody has looked.
bool handle_once(Passage& passage, const gateway::IdempotencyKey& key, const gateway::Claimed& claimed) {
    run_handler(passage);
    if (std::holds_alternative<http::Stream>(*passage.answer)) return refuse_stream(passage);
    const auto* reply = std::get_if<http::Reply>(&*passage.answer);
    ASSERT(reply);  // What a handler hands on to an upstream could not be kept.
    if (reply->status >= 500) return false;
    auto& pool = *passage.gateway.database;
    auto deadline = passage.gateway.clock.monotonic() + lease_margin;
    auto stored = stored_of(*reply, passage.call);
    auto kept = reply->status == 429 ? gateway::release(pool, key, claimed, deadline)
                                     : gateway::settle(pool, key, claimed, stored, deadline);
    if (!kept) passage.call.cause = "the answer could not be kept: " + kept.error().cause;
    return false;
}

// What is said when the work is not to be done now.
bool answer_claim(Passage& passage, gateway::Claim& claim) {
    if (auto* stored = std::get_if<gateway::Replay>(&claim))
        return replay(passage, std::move(stored->response));
    return refuse_claim(passage, claim);
}

// True if the server asks to run all of it again.
bool try_in_transaction(Passage& passage, postgres::Pool& pool,
                        const std::optional<gateway::IdempotencyKey>& key) {
    auto& call = passage.call;
    auto transaction = pool.begin(pool.tenant(), call.deadline);
    if (!transaction) return unavailable(passage, transaction.error());
    if (key) {
        auto claim = gateway::claim_in(*transaction, *key);
        if (!claim) return unavailable(passage, claim.error()) || transaction->should_run_again();
        if (!std::holds_alternative<gateway::Claimed>(*claim)) return answer_claim(passage, *claim);
    }
    call.transaction = &*transaction;
    run_handler(passage);
    call.transaction = nullptr;
    if (std::holds_alternative<http::Stream>(*passage.answer)) return refuse_stream(passage);
    const auto* reply = std::get_if<http::Reply>(&*passage.answer);
    ASSERT(reply);  // An upstream takes no part in the transaction.
    if (reply->status >= 400) return transaction->should_run_again();
    if (key) {
        auto kept = gateway::store_in(*transaction, *key, stored_of(*reply, call));
        if (!kept) return unavailable(passage, kept.error()) || transaction->should_run_again();
    }
    auto done = transaction->commit();
    return done ? false : unavailable(passage, done.error()) || transaction->should_run_again();
}

// Whatever breaks off before the commit, also the process, has not happened, and the key is still free: so
// it is after an answer of 400 or more.
bool handle_in_transaction(Passage& passage, const std::optional<gateway::IdempotencyKey>& key) {
    ASSERT(passage.call.route->waits);
    const auto& gateway = passage.gateway;
    bool own = passage.call.route->tenant == platform_tenant;
    auto* pool = own ? gateway.database : gateway.database_of(passage.call.route->tenant);
    if (!pool) {
        return unavailable(passage, {Fault::unavailable, "The application's database is not there yet.",
                                     "no database of " + passage.call.route->tenant.text});
    }
    for (int attempt = 1; try_in_transaction(passage, *pool, key) && attempt < attempts_max; ++attempt) {
    }
    return false;
}

}  // namespace

// Of what was sent.
Result<std::string> fingerprint_of(const http::Request& request, const http::Call& call) {
    crypto::Hasher hasher(crypto::Hash::sha256);
    hasher.update(to_string(request.method));
    hasher.update(" ");
    hasher.update(request.target);
    hasher.update("\n");
    if (!call.spooled) hasher.update(request.body);
    std::string piece;
    for (std::uint64_t at = 0; call.spooled && at < call.spooled->size(); at += piece.size()) {
        TRY(call.spooled->read(at, spool_piece_bytes, piece));
        hasher.update(piece);
    }
    return hasher.finish();
}

Result<gateway::IdempotencyKey> record_of(const http::Request& request, const http::Call& call,
                                          std::string key) {
    const auto* principal = call.principal.get();
    auto fingerprint = TRY(fingerprint_of(request, call));
    return gateway::IdempotencyKey{
        .tenant = call.tenant,
        .principal = principal ? caller_of(principal) : "address " + request.peer.address,
        .key = std::move(key),
        .fingerprint = std::move(fingerprint)};
}

bool answer_once(Passage& passage) {
    const auto& route = *passage.call.route;
    auto text = idempotency_key(route, passage.request.headers);
    ASSERT(text);  // require_acceptable_head has refused what is no key.
    if (text->empty() && route.transactional != http::Transactional::always) return true;
    auto& gateway = passage.gateway;
    if (!gateway.database || (route.upstream && !gateway.outbound)) {
        return unavailable(passage,
                           {Fault::unavailable,
                            text->empty() ? "This needs a database." : "Idempotency-Key needs a database.",
                            "none is configured"});
    }
    if (text->empty()) return handle_in_transaction(passage, std::nullopt);
    auto record = record_of(passage.request, passage.call, *std::move(text));
    if (!record) return unavailable(passage, record.error());
    const auto& key = *record;
    if (route.transactional != http::Transactional::no) return handle_in_transaction(passage, key);
    auto longest = route.upstream ? route.upstream->response_timeout : route.timeout;
    gateway::Lease lease{.duration = longest + lease_margin, .take_over = passage.plan->upstream_idempotent};
    auto claim = gateway::claim(*gateway.database, key, lease, passage.call.deadline);
    if (!claim) return unavailable(passage, claim.error());
    if (auto* claimed = std::get_if<gateway::Claimed>(&*claim)) {
        return route.upstream ? relay_once(passage, key, *claimed) : handle_once(passage, key, *claimed);
    }
    return answer_claim(passage, *claim);
}

}  // namespace integreat::gateway
