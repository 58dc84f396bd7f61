// SPDX-License-Identifier: Apache-2.0
// The interface between a transport and the platform. A request is processed in two steps, because the head
// determines if the body is read (and how large it may be, and if the handler blocks):
//
//     admit(head) → FullResponse | ProxyRequest | StreamingResponse
//                 → PendingResponse: its `complete` builds the response
//                 → NeedsBlockingThread: call admit again on a thread that may block
//                 → ReadBody → handle(whole request) → FullResponse | ProxyRequest | StreamingResponse
//                                                    → PendingResponse: its `complete` builds the response
//                                                    → NeedsBlockingThread: handle it on such a thread
//                 → StreamBody → consume(chunk) … consume(last chunk) → as for handle
//     in the end: finish(summary)
//
// A transport calls `finish` exactly once per request that it has passed to `admit` or `reject`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "http/message/message.h"
#include "http/message/problem.h"
#include "http/routing/request_context.h"
#include "http/routing/route.h"

namespace integreat::http {

struct ReadBody {
    std::size_t max_bytes = 0;
    Execution execution = Execution::on_io_thread;  // Never `spooled`: that is a StreamBody.
};

// An instruction to pass the request body on chunk by chunk, because it may be too large for memory. The
// transport reads at most one chunk ahead of the consumer.
struct StreamBody {
    std::uint64_t max_bytes = 0;
    // Called on the blocking pool, one call at a time, in order; the last chunk may be empty. Must return a
    // response for the last one; a response for an earlier one ends the body there. If the client
    // disconnects, exceeds a limit or is too slow, `consume` is destroyed without a last chunk and must roll
    // back its changes. The request and its context outlive it.
    std::function<std::optional<Response>(std::string_view chunk, bool last)> consume;
};

using Admission = std::variant<FullResponse, ProxyRequest, StreamingResponse, ReadBody, NeedsBlockingThread,
                               StreamBody, PendingResponse>;

// A source of asynchronous completions that an I/O thread polls besides its sockets: the queries in flight.
// Used on that thread only. Its functions call the callbacks of pending responses without holding a lock,
// since a session may continue within the call.
struct CompletionSource {
    int descriptor = -1;            // Readable when `advance` has work to do.
    std::function<void()> advance;  // Runs the completion handlers of finished queries.
    std::function<void()> expire;   // Ends overdue queries; to be called a few times per second.
    std::function<void()> abandon;  // Ends all queries, because the thread stops.
    // Attach the source to a request for the call of a handler, and detach it afterwards.
    std::function<void(RequestContext&)> attach;
    std::function<void(RequestContext&)> detach;
};

// The result of a request, for logs and metrics.
struct RequestSummary {
    int status = 0;  // Sent status; 0 if the connection was lost before a status line was written.
    std::uint64_t request_body_bytes = 0;
    std::uint64_t response_body_bytes = 0;
    std::chrono::nanoseconds duration{0};  // From the last byte of the head to the last byte of the response.
    std::chrono::nanoseconds upstream_duration{
        0};                // Until the head of the upstream's response; proxied requests only.
    bool complete = true;  // False if either side disconnected early; always true for an endless response.
};

struct Application {
    // Processes a complete head; the body has not been read. Must not block unless context.may_block. The
    // transport has set context.started, context.arrived and context.may_block; all else is as after `clear`,
    // or as the call left it that returned NeedsBlockingThread.
    std::function<Admission(const Request&, RequestContext&)> admit;

    // Handles the whole request, after ReadBody, on the thread that its `execution` names. Returns
    // NeedsBlockingThread only if !context.may_block.
    std::function<Response(const Request&, RequestContext&)> handle;

    // Makes the completion source of one I/O thread. Empty: there is none.
    std::function<CompletionSource()> make_completion_source = {};

    // Builds the response to a request that the transport itself refuses (malformed head, body too large or
    // too slow, pool full, upstream unreachable), with a request ID. May be called before or after admit.
    std::function<FullResponse(const Request&, RequestContext&, const Problem&)> reject;

    // Records a finished request, after its response was sent. Must not block.
    std::function<void(const Request&, const RequestContext&, const RequestSummary&)> finish;
};

// The problem of a request whose deadline passes while its response is pending.
Problem not_ready_in_time();

// Performs both steps on this thread, which may block, for transports that have the whole request (Lambda,
// tests). A body over the limit gets 413. Waits for a pending response until its deadline; then it gets
// 503. Does not call finish.
Response handle(const Application& application, const Request& request, RequestContext& context);

}  // namespace integreat::http
