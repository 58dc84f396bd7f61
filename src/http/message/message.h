// SPDX-License-Identifier: Apache-2.0
// HTTP requests and responses as values (style R3). Neither knows a socket: net/ parses requests and sends
// responses, and so do the Lambda runtime and the tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"
#include "http/message/body_stream.h"
#include "http/message/headers.h"
#include "http/message/upstream.h"

namespace integreat::http {

// The methods we route. net/ answers any other method in a well-formed request with 501.
enum class Method : std::uint8_t { get, head, post, put, patch, del, options };

std::string_view to_string(Method method);  // "GET"
std::optional<Method> parse_method(std::string_view text);

struct Peer {
    std::string address;  // Address of the client, behind trusted proxies: "192.0.2.7" or "2001:db8::7".
    std::uint16_t port = 0;
};

// The callers that a listener is for, and the callers that a route is for: a listener serves the routes of
// its own exposure and of those before it.
enum class Exposure : std::uint8_t {
    everyone,
    operators,     // Behind the network of the operators: administration, metrics, the documents of all apps.
    this_machine,  // `integreat dev` and its pages: Host and Origin must name this machine.
};

struct Request {
    Method method = Method::get;
    std::string target;  // Origin form, as received: "/v1/apps/campus/me?x=1". Checked by check_target.
    Headers headers;
    std::string body;  // Complete when a handler runs; empty for proxied requests, which are streamed.
    Peer peer;
    bool secure = false;                     // Received over TLS.
    Exposure exposure = Exposure::everyone;  // Exposure of the listener that received it.
    bool upgrade = false;                    // Requests a protocol upgrade: a WebSocket.

    std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
    // Returns the query without the question mark; empty if there is none.
    std::string_view query() const;
};

// Resets the request for the next one on the connection, but keeps the allocated memory.
void clear(Request& request);

// A complete response. net/ adds Date, Content-Length and Connection.
struct FullResponse {
    int status = 200;
    Headers headers;
    std::string body;
    std::shared_ptr<const std::string> shared_body = {};  // Sent instead of `body`, without a copy.

    std::string_view bytes() const { return shared_body ? std::string_view(*shared_body) : body; }
    void clear_body() {
        body.clear();
        shared_body.reset();
    }
};

// An instruction to forward the request to an upstream: the transport streams both bodies and passes
// WebSockets and event streams through. `headers` are the end-to-end fields that the upstream receives; the
// transport adds Host, framing and X-Forwarded-*.
struct ProxyRequest {
    std::shared_ptr<const Upstream> upstream;
    std::string target;
    Headers headers;
    std::size_t max_body_bytes = 0;
};

// A response whose body is sent chunk by chunk: an export, a file, events as they happen. The transport adds
// the same fields as to a FullResponse, and frames the body with Content-Length if the length is known, else
// chunked (HTTP/1.0: until the connection closes). HEAD gets the head only, and the body is not read.
//
// With a `heartbeat` it is endless: a client may disconnect at any time, and a drain or `until` ends it at
// once, so that clients reconnect elsewhere. Without one it is a document: an early end aborts the
// connection, a drain waits for it, and it may be pending no longer than a client may be slow.
struct StreamingResponse {
    int status = 200;
    Headers headers;
    std::optional<std::uint64_t> length;  // Exact length in bytes, if known; any other length aborts the
                                          // response. Ignored for a FileRegion, which has its own.
    std::variant<std::unique_ptr<BodyStream>, FileRegion> body;
    bool blocking = false;  // `read` blocks: the transport calls it on the blocking pool.
    std::string heartbeat;  // Bytes sent after a while without data; not counted as a chunk.
    // End of an endless response, which must not outlive the caller's token.
    Monotonic until = Monotonic::max();
};

// Returns the length of the body in bytes, if it is known.
std::optional<std::uint64_t> body_length(const StreamingResponse& stream);

// The request must be handled again on a thread that may block.
struct NeedsBlockingThread {};

struct PendingResponse;
using Response =
    std::variant<FullResponse, ProxyRequest, StreamingResponse, NeedsBlockingThread, PendingResponse>;

// A response that is not ready yet: its query was sent on the completion queue of the I/O thread, or it waits
// for an event (a long poll). It occupies no thread meanwhile. If the client disconnects or the deadline of
// the request passes first, both functions are destroyed uncalled, and the callback then has no effect.
struct PendingResponse {
    // Called once, on the I/O thread. Registers the callback that makes the transport call `complete`. Any
    // thread may call it, at any time from the call of on_ready on, also long after the response has ended;
    // it does not block. `large` means that the result is so large that `complete` should run on the
    // blocking pool.
    std::function<void(std::function<void(bool large)>)> on_ready;
    // Builds the response on the I/O thread; never another PendingResponse.
    std::function<Response()> complete;
    // Makes a drain call `complete` without waiting for the callback, so that the client of a long poll
    // gets an empty result and reconnects elsewhere. Otherwise a drain waits.
    bool completes_on_drain = false;
};

// Returns the phrase of RFC 9110 section 15: "Not Found"; "Unknown" for a status without a registered phrase.
std::string_view reason_phrase(int status);

}  // namespace integreat::http
