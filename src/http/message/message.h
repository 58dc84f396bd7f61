// SPDX-License-Identifier: Apache-2.0
// A request is a value that comes in, a response is a value that goes out (style R3). Neither knows a
// socket: net/ makes the one and carries out the other, and so do the Lambda runtime and the tests.
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

// The methods we route. Another method in a well-formed request is answered 501 by net/.
enum class Method : std::uint8_t { get, head, post, put, patch, del, options };

std::string_view to_string(Method method);  // "GET"
std::optional<Method> method_from(std::string_view text);

struct Peer {
    std::string
        address;  // "192.0.2.7" or "2001:db8::7", of the client: after trusted proxies are looked through.
    std::uint16_t port = 0;
};

struct Request {
    Method method = Method::get;
    std::string target;  // Origin form, as received: "/v1/apps/campus/me?x=1". Checked by check_target.
    Headers headers;
    std::string body;  // Complete when a handler runs; empty for relays, whose body streams past us.
    Peer peer;
    bool secure = false;   // Came over TLS.
    bool upgrade = false;  // Asks to become another protocol: a WebSocket.

    std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
    // Without the question mark; empty if there is none.
    std::string_view query() const;
};

// As new, but for the memory, which is kept: for the next request on a connection.
void clear(Request& request);

// A complete answer. net/ adds Date, Content-Length and Connection.
struct Reply {
    int status = 200;
    Headers headers;
    std::string body;
};

// "Forward this request there": the transport streams both bodies and passes WebSockets and event streams
// through. `headers` is what the upstream gets, end-to-end fields only; the transport adds Host, framing and
// X-Forwarded-*.
struct Relay {
    std::shared_ptr<const Upstream> upstream;
    std::string target;
    Headers headers;
    std::size_t body_bytes_max = 0;
};

// An answer whose body comes piece by piece: an export, a file, events as they happen. The transport adds
// what it adds to a Reply, and frames the body: by its length if that is known, else in chunks (HTTP/1.0:
// until the connection ends). HEAD gets the head only, and the source is not asked.
//
// With a `heartbeat` it is endless: a client may leave it at any time, a drain ends it at once, so that
// clients come back elsewhere, and so does `until`. Without one it is a document: what ends it early breaks
// it off visibly, a drain waits for it, and it may be idle no longer than a client may be slow.
struct Stream {
    int status = 200;
    Headers headers;
    std::optional<std::uint64_t>
        length;  // Exact, if known; more or less bytes break it off. Of a file: its own.
    std::variant<std::unique_ptr<BodySource>, FileRegion> body;
    bool waits = false;                  // The source must be called where waiting is allowed.
    std::string heartbeat;               // Sent when nothing else was for a while; not counted as a piece.
    Monotonic until = Monotonic::max();  // Of an endless one: not to outlive the caller's token.
};

std::optional<std::uint64_t> length_of(const Stream& stream);

// "Ask again from a thread that may wait."
struct Defer {};

struct Later;
using Response = std::variant<Reply, Relay, Stream, Defer, Later>;

// "The answer is under way": what it needs was asked for by the lane of this I/O thread (application.h).
struct Later {
    // Whom to tell that `finish` can be called; not before this returns, and once. `large`: there is so much
    // of it that it should be called where waiting is allowed.
    std::function<void(std::function<void(bool large)>)> when_ready;
    std::function<Response()> finish;  // No Later.
};

// RFC 9110 section 15: "Not Found". "Unknown" for a status without a registered phrase.
std::string_view reason_phrase(int status);

}  // namespace integreat::http
