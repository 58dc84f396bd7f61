// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/idempotency.h"

#include "crypto/hash.h"
#include "gateway/routing/upstream_request.h"
#include "gateway/stages/handler.h"
#include "http/message/proxy_headers.h"
#include "http/transport/spooled_body.h"

namespace integreat::gateway {

namespace {

using http::ProblemType;

constexpr int attempts_max = 3;
constexpr std::size_t spool_chunk_bytes = 64 * 1024;
constexpr std::chrono::seconds lease_margin{10};  // Added to the longest time that the work may take.

bool reject_unavailable(PipelineContext& context, const Error& error) {
    context.request_context.cause = error.cause;
    return reject(context, "idempotency",
                  {.problem = http::problem_from(error),
                   .rule = "the record of the key must be readable",
                   .facts = {}});
}

bool replay(PipelineContext& context, StoredResponse stored) {
    http::FullResponse response{.status = stored.status, .headers = {}, .body = std::move(stored.body)};
    for (const auto& [name, value] : stored.headers)
        response.headers.add(name, value);
    response.headers.add("Idempotent-Replayed", "true");
    context.result = std::move(response);
    return false;
}

bool reject_claim(PipelineContext& context, const Claim& claim) {
    if (std::holds_alternative<Mismatch>(claim)) {
        return reject(context, "idempotency",
                      make_rejection(ProblemType::idempotency_key_reused, "Use a new key for a new request.",
                                     "method, target and body must equal those of the key's first request"));
    }
    if (std::holds_alternative<InProgress>(claim)) {
        auto rejection = make_rejection(ProblemType::idempotency_key_in_use,
                                        "Retry shortly to get the response of the first request.",
                                        "one request per key at a time");
        rejection.problem.retry_after = std::chrono::seconds(1);
        return reject(context, "idempotency", std::move(rejection));
    }
    return reject(
        context, "idempotency",
        make_rejection(ProblemType::outcome_unknown,
                       "An earlier request with this key was interrupted. Check the affected resource.",
                       "an interrupted request is repeated only to an upstream with `idempotent: true`"));
}

StoredResponse make_stored_response(const http::FullResponse& response,
                                    const http::RequestContext& request_context) {
    const auto& replay_body = request_context.replay_body;
    StoredResponse stored{
        .status = response.status, .headers = {}, .body = replay_body.empty() ? response.body : replay_body};
    for (auto [name, value] : response.headers)
        stored.headers.emplace_back(name, value);
    return stored;
}

http::ClientRequest make_upstream_request(const PipelineContext& context) {
    const auto& upstream = *context.request_context.route->upstream;
    auto proxied = make_proxy_request(context.route->target, context.request, context.request_context);
    bool ipv6 = upstream.host.find(':') != std::string::npos;
    http::ClientRequest out{.method = context.request.method,
                            .url = std::string(upstream.secure ? "https://" : "http://") + (ipv6 ? "[" : "") +
                                   upstream.host + (ipv6 ? "]:" : ":") + std::to_string(upstream.port) +
                                   upstream.path_prefix + proxied.target,
                            .headers = std::move(proxied.headers),
                            .body = context.request.body,
                            .timeout = upstream.response_timeout,
                            .response_bytes_max = stored_body_bytes_max,
                            .upstream = context.request_context.route->upstream};
    out.headers.add("X-Forwarded-For", context.request.peer.address);
    out.headers.add("X-Forwarded-Proto", context.request.secure ? "https" : "http");
    if (auto host = context.request.headers.get("Host")) out.headers.add("X-Forwarded-Host", *host);
    return out;
}

// `sent`: the request may have reached the upstream.
bool reject_upstream_error(PipelineContext& context, const Error& error, bool sent) {
    context.request_context.cause = error.cause;
    if (error.fault == Fault::exhausted) {
        auto rejection = make_rejection(
            ProblemType::upstream_circuit_open,
            "The server failed repeatedly and gets no requests for a while; the key may be used again.",
            "the upstream's circuit must be closed");
        rejection.problem.retry_after =
            std::chrono::ceil<std::chrono::seconds>(context.request_context.route->upstream->breaker_open);
        return reject(context, "relay", std::move(rejection));
    }
    return reject(
        context, "relay",
        sent ? make_rejection(ProblemType::upstream_timeout, "It is unknown if the request had an effect.",
                              "the upstream must send a complete response")
             : make_rejection(ProblemType::upstream_unreachable,
                              "The request was not sent; the same Idempotency-Key may be used again.",
                              "the upstream must accept the request"));
}

bool fetch_from_upstream(PipelineContext& context, const IdempotencyKey& key, const Claimed& claimed) {
    auto& pool = *context.gateway.database;
    auto& request_context = context.request_context;
    auto deadline = context.gateway.clock.monotonic() + lease_margin;
    auto fetched = context.gateway.http_client->fetch(make_upstream_request(context));
    if (!fetched) {
        bool sent = !fetched.error().cause.starts_with("not_sent: ");
        if (!sent) {
            auto released = release(pool, key, claimed, deadline);
            if (!released) return reject_unavailable(context, released.error());
        }
        return reject_upstream_error(context, fetched.error(), sent);
    }
    http::FullResponse response{.status = fetched->status, .headers = {}, .body = std::move(fetched->body)};
    http::Headers end_to_end;
    append_end_to_end_headers(end_to_end, fetched->headers);
    http::forward_response_fields(
        end_to_end, request_context.response_headers, request_context.tenant,
        [&](std::string_view name, std::string_view value) { response.headers.add(name, value); });
    deadline = context.gateway.clock.monotonic() + lease_margin;
    bool transient = response.status >= 500 || response.status == 429;
    auto stored =
        transient ? release(pool, key, claimed, deadline)
                  : complete(pool, key, claimed, make_stored_response(response, request_context), deadline);
    // The upstream has done the work: its response matters more to the caller than the failure to store it.
    if (!stored) request_context.cause = "the response could not be stored: " + stored.error().cause;
    context.result = std::move(response);
    return false;
}

// Only a complete response can be stored and repeated: a route with streaming or pending responses accepts no
// key and is not transactional.
bool is_complete(const http::Admission& result) {
    return !std::holds_alternative<http::StreamingResponse>(result) &&
           !std::holds_alternative<http::PendingResponse>(result);
}

// Nothing was stored here, so the handler's transaction is rolled back, and a lease remains.
bool reject_incomplete(PipelineContext& context) {
    bool streams = std::holds_alternative<http::StreamingResponse>(*context.result);
    context.request_context.cause = "the handler of route " + context.request_context.route->name +
                                    (streams ? " streams" : " defers") +
                                    " its response, which cannot be stored for an Idempotency-Key";
    return reject(context, "idempotency",
                  make_rejection(ProblemType::internal, "Report the request_id.",
                                 "a stored response must be complete"));
}

// After a 5xx part of the work may be done: the key stays locked until an operator has checked.
bool run_with_lease(PipelineContext& context, const IdempotencyKey& key, const Claimed& claimed) {
    run_handler(context);
    if (!is_complete(*context.result)) return reject_incomplete(context);
    const auto* response = std::get_if<http::FullResponse>(&*context.result);
    ASSERT(response);  // A proxied response could not be stored.
    if (response->status >= 500) return false;
    auto& pool = *context.gateway.database;
    auto deadline = context.gateway.clock.monotonic() + lease_margin;
    auto copy = make_stored_response(*response, context.request_context);
    auto stored = response->status == 429 ? release(pool, key, claimed, deadline)
                                          : complete(pool, key, claimed, copy, deadline);
    if (!stored) context.request_context.cause = "the response could not be stored: " + stored.error().cause;
    return false;
}

// Responds to a request that must not be executed now.
bool respond_to_claim(PipelineContext& context, Claim& claim) {
    if (auto* stored = std::get_if<Replay>(&claim)) return replay(context, std::move(stored->response));
    return reject_claim(context, claim);
}

// Returns true if the database requires a retry of the whole transaction.
bool try_in_transaction(PipelineContext& context, postgres::Pool& pool,
                        const std::optional<IdempotencyKey>& key) {
    auto& request_context = context.request_context;
    auto transaction = pool.begin(pool.tenant(), request_context.deadline);
    if (!transaction) return reject_unavailable(context, transaction.error());
    auto fail = [&](const Error& error) {
        reject_unavailable(context, error);
        return transaction->should_retry();
    };
    if (key) {
        auto claim = claim_in_transaction(*transaction, *key);
        if (!claim) return fail(claim.error());
        if (!std::holds_alternative<Claimed>(*claim)) return respond_to_claim(context, *claim);
    }
    request_context.attachments.set(&*transaction);
    run_handler(context);
    request_context.attachments.set<postgres::Transaction>(nullptr);
    if (!is_complete(*context.result)) return reject_incomplete(context);
    const auto* response = std::get_if<http::FullResponse>(&*context.result);
    ASSERT(response);  // An upstream takes no part in the transaction.
    if (response->status >= 400) return transaction->should_retry();
    if (key) {
        auto stored =
            store_in_transaction(*transaction, *key, make_stored_response(*response, request_context));
        if (!stored) return fail(stored.error());
    }
    auto committed = transaction->commit();
    return committed ? false : fail(committed.error());
}

// An interruption before the commit, even of the process, leaves no trace, and the key is still free. The
// same holds for a response of 400 or more.
bool run_in_transaction(PipelineContext& context, const std::optional<IdempotencyKey>& key) {
    const auto& route = *context.request_context.route;
    ASSERT(route.execution != http::Execution::on_io_thread);
    const auto& gateway = context.gateway;
    bool own = route.tenant == platform_tenant;
    auto* pool = own ? gateway.database : gateway.database_of(route.tenant);
    if (!pool) {
        return reject_unavailable(context, {Fault::unavailable, "The application's database is not ready.",
                                            "no database of " + route.tenant.text});
    }
    for (int attempt = 1; try_in_transaction(context, *pool, key) && attempt < attempts_max; ++attempt) {
    }
    return false;
}

// Hashes method, target and body.
Result<std::string> make_fingerprint(const http::Request& request,
                                     const http::RequestContext& request_context) {
    crypto::Hasher hasher(crypto::HashAlgorithm::sha256);
    hasher.update(to_string(request.method));
    hasher.update(" ");
    hasher.update(request.target);
    hasher.update("\n");
    const auto* spooled = request_context.spooled_body;
    if (!spooled) hasher.update(request.body);
    std::string chunk;
    for (std::uint64_t offset = 0; spooled && offset < spooled->size(); offset += chunk.size()) {
        TRY(spooled->read(offset, spool_chunk_bytes, chunk));
        hasher.update(chunk);
    }
    return hasher.finish();
}

}  // namespace

Result<std::string> parse_idempotency_key(const http::Route& route, const http::Headers& headers) {
    if (route.idempotency == http::Idempotency::off) return std::string();
    auto value = headers.get("Idempotency-Key");
    if (!value) return std::string();
    auto invalid = [](const char* reason) { return Error{Fault::invalid, reason, ""}; };
    if (headers.count("Idempotency-Key") > 1) return invalid("Idempotency-Key is sent twice.");
    bool quoted = value->size() >= 2 && value->front() == '"' && value->back() == '"';
    auto body = quoted ? value->substr(1, value->size() - 2) : *value;
    std::string key;
    for (std::size_t i = 0; i < body.size(); ++i) {
        auto byte = static_cast<unsigned char>(body[i]);
        bool escape =
            quoted && byte == '\\' && i + 1 < body.size() && (body[i + 1] == '"' || body[i + 1] == '\\');
        if (escape) byte = static_cast<unsigned char>(body[++i]);
        bool visible = byte > 0x20 && byte < 0x7f;
        bool allowed =
            quoted ? visible || byte == ' ' : visible && byte != ',' && byte != '"' && byte != '\\';
        if (!allowed || (quoted && !escape && (byte == '"' || byte == '\\'))) {
            return invalid("Idempotency-Key contains a character that is not allowed.");
        }
        key += static_cast<char>(byte);
    }
    if (key.empty()) return invalid("Idempotency-Key is empty.");
    if (key.size() > 255) return invalid("Idempotency-Key is longer than 255 characters.");
    return key;
}

Result<IdempotencyKey> make_idempotency_record(const http::Request& request,
                                               const http::RequestContext& request_context, std::string key) {
    const auto* principal = request_context.principal.get();
    auto fingerprint = TRY(make_fingerprint(request, request_context));
    return IdempotencyKey{
        .tenant = request_context.tenant,
        .principal = principal ? describe_caller(principal) : "address " + request.peer.address,
        .key = std::move(key),
        .fingerprint = std::move(fingerprint)};
}

bool run_idempotent(PipelineContext& context) {
    auto& request_context = context.request_context;
    const auto& route = *request_context.route;
    auto text = parse_idempotency_key(route, context.request.headers);
    ASSERT(text);  // require_acceptable_headers has rejected invalid keys.
    if (text->empty() && route.transactional != http::Transactional::always) return true;
    auto& gateway = context.gateway;
    if (!gateway.database || (route.upstream && !gateway.http_client)) {
        return reject_unavailable(
            context, {Fault::unavailable,
                      text->empty() ? "This route needs a database." : "Idempotency-Key needs a database.",
                      "none is configured"});
    }
    if (text->empty()) return run_in_transaction(context, std::nullopt);
    auto record = make_idempotency_record(context.request, request_context, *std::move(text));
    if (!record) return reject_unavailable(context, record.error());
    const auto& key = *record;
    if (route.transactional != http::Transactional::no) return run_in_transaction(context, key);
    auto timeout = route.upstream ? route.upstream->response_timeout : route.timeout;
    Lease lease{.duration = timeout + lease_margin, .take_over = context.route->upstream_idempotent};
    auto claim = gateway::claim(*gateway.database, key, lease, request_context.deadline);
    if (!claim) return reject_unavailable(context, claim.error());
    if (auto* claimed = std::get_if<Claimed>(&*claim)) {
        return route.upstream ? fetch_from_upstream(context, key, *claimed)
                              : run_with_lease(context, key, *claimed);
    }
    return respond_to_claim(context, *claim);
}

}  // namespace integreat::gateway
