// SPDX-License-Identifier: Apache-2.0
// The platform as a transport sees it. A request passes in two steps, because whether its body is wanted
// (and how large it may be, and whether answering will block) is known from its head:
//
//     admit(head) → Reply | Relay | Stream | ReadBody → answer(whole request) → Reply | Relay | Stream
//                 → Defer: call admit again from a thread that may wait
//                                        answer, asked with a lane → Defer: the same
//                                                                  → Later: its `finish` is the answer
//                 → StreamBody → consume(piece) … consume(last piece) → Reply | Relay | Stream
//                                                                                   … finish(outcome)
//
// A transport calls `finish` exactly once per request it called `admit` or `reject` for.
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

namespace integreat::http {

struct ReadBody {
    std::size_t bytes_max = 0;
    bool waits = false;    // `answer` must run on the waiting pool,
    bool in_lane = false;  // unless it is small: then it may be asked on the I/O thread first, with a lane.
};

// The body piece by piece, for what is too large to be held in memory. The transport reads no further than
// one piece ahead of the consumer.
struct StreamBody {
    std::uint64_t bytes_max = 0;
    // Called on the waiting pool, one call at a time, in order; the last piece may be empty. Must answer the
    // last one; an answer to an earlier one ends the body there. If the client goes away, breaks a limit or
    // is too slow, it is destroyed without having seen the last piece, and what it made must be undone. The
    // request and the call live as long as it does.
    std::function<std::optional<Response>(std::string_view piece, bool last)> consume;
};

using Admission = std::variant<Reply, Relay, Stream, ReadBody, Defer, StreamBody>;

// What an I/O thread waits for besides its clients: answers of databases that are under way. Used on that
// thread only, from the first to the last call.
struct Lane {
    int descriptor = -1;            // Readable when `advance` has something to do.
    std::function<void()> advance;  // Tells those whose answer has come.
    std::function<void()> expire;   // To be called a few times a second: ends what is overdue.
    std::function<void()> abandon;  // Ends everything: the thread stops.
    postgres::Lane* database = nullptr;
};

// What became of the request, for logs and metrics.
struct Outcome {
    int status = 0;  // As sent; 0 if the connection broke before a status line was written.
    std::uint64_t request_body_bytes = 0;
    std::uint64_t response_body_bytes = 0;
    std::chrono::nanoseconds duration{0};           // From the head's last byte to the answer's last byte.
    std::chrono::nanoseconds upstream_duration{0};  // Of a relay: until the upstream's head.
    bool complete = true;  // False if either side went away in the middle. An endless stream has none.
};

struct Application {
    // The head is complete, the body was not touched. Must not block unless call.may_wait. The transport has
    // set call.started, call.arrived and call.may_wait; everything else is fresh.
    std::function<Admission(const Request&, Call&)> admit;

    // The whole request, after ReadBody. Runs on the I/O thread, or the waiting pool if it waits; Defer and
    // Later come only if call.lane is set.
    std::function<Response(const Request&, Call&)> answer;

    // For each I/O thread one of its own. Empty: there are none.
    std::function<Lane()> make_lane = {};

    // The transport itself must refuse (malformed head, body too large or too slow, pool full, upstream
    // gone): numbers, explains and renders it. May be called before or after admit.
    std::function<Reply(const Request&, Call&, const Problem&)> reject;

    // Off the critical path: the answer is on its way to the client already. Must not block.
    std::function<void(const Request&, const Call&, const Outcome&)> finish;
};

// Both steps at once on this thread, waiting allowed, for transports that hold the whole request (Lambda,
// tests). A body over the limit becomes 413. Does not call finish.
Response handle(const Application& application, const Request& request, Call& call);

// A stream as one reply, for those who cannot send pieces (Lambda) or want to look at it (tests). Waits up to
// `patience` for each wake; an endless stream ends there, any other is broken: Fault::unavailable. A body of
// more than `bytes_max` is Fault::exhausted.
Result<Reply> collect(Stream stream, std::size_t bytes_max, std::chrono::milliseconds patience);

}  // namespace integreat::http
