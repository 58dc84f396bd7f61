// SPDX-License-Identifier: Apache-2.0
#include "net/server/session.h"

#include <algorithm>
#include <exception>

#include <boost/asio/post.hpp>

#include "base/log.h"
#include "net/proxy/reverse_proxy.h"

namespace integreat::net {

namespace {

using http::Problem;

// Maximum size in bytes of an unused body that is read to its end; after a longer one the connection closes.
constexpr std::uint64_t discarded_bytes_max = 64 * 1024;
// Larger buffers are freed after a request, so that idle connections cost little memory.
constexpr std::size_t kept_bytes_max = 16 * 1024;
// Maximum size in bytes of a body that is parsed on the I/O thread for a single-query route.
constexpr std::size_t inline_body_bytes_max = 16 * 1024;

Problem head_too_slow() {
    return http::problem(http::ProblemType::request_timeout,
                         "The header stopped arriving. Send it without long pauses.");
}

Problem internal_error() {
    return http::problem(http::ProblemType::internal,
                         "The request could not be answered because of an internal error.");
}

// Time and bytes for which a closing connection is still read, so that the client sees the response instead
// of a reset.
constexpr std::chrono::milliseconds linger_timeout{1'000};
constexpr std::size_t linger_bytes_max = 256 * 1024;
// Chunk size in bytes for the consumer of a streamed body: large enough to amortize the switch to the pool.
constexpr std::size_t body_chunk_bytes = 256 * 1024;
// Number of bytes of one write, within which the minimum rate is not checked.
constexpr std::size_t flush_bytes = 64 * 1024;

Problem overloaded(std::string_view detail) {
    return http::problem(http::ProblemType::overloaded, std::string(detail), std::chrono::seconds(1));
}

}  // namespace

Session::Session(IoThread& io_thread, Socket socket, const tcp::endpoint& peer)
    : io_thread_(io_thread),
      settings_(io_thread.server.settings),
      stream_(std::move(socket), io_thread.sweeper),
      parser_({.max_bytes = settings_.max_header_bytes,
               .count_max = settings_.max_header_count,
               .max_target_bytes = settings_.max_target_bytes}),
      body_(stream_, read_buffer_, {settings_.body_timeout, settings_.min_body_bytes_per_second}),
      peer_(unmap_v4(peer.address())),
      peer_text_(peer_.to_string()),
      peer_port_(peer.port()),
      trusted_peer_(io_thread.server.trusted_proxies.trusts(peer_)),
      response_rate_(settings_.write_timeout, settings_.min_response_bytes_per_second),
      hold_([this](std::size_t bytes) { return hold_response(bytes); }),
      last_active_(io_thread.server.clock.monotonic()) {
    head_deadline_ = last_active_ + settings_.header_timeout;
    io_thread_.add_session(*this);
}

Session::~Session() {
    io_thread_.remove_session(*this);
    io_thread_.server.connection_limiter.release(peer_);
}

// Handles the requests in the read buffer until one needs to wait.
Session::Step Session::serve() {
    for (;;) {
        if (read_buffer_.unread().empty()) return io_thread_.draining ? Step::close : Step::read;
        switch (parser_.parse(read_buffer_.unread(), request_)) {
            case RequestParser::State::incomplete: return Step::read;
            case RequestParser::State::failed: {
                auto& error = parser_.error();
                io_thread_.server.metrics.malformed[static_cast<std::size_t>(error.part)]->add();
                begin_request({.keep_alive = false});
                linger_ = true;
                return reject(problem_from(error));
            }
            case RequestParser::State::complete: break;
        }
        read_buffer_.consume(parser_.length());
        begin_request(parser_.framing());
        if (auto next = dispatch(call_admit()); next != Step::serve) return next;
    }
}

asio::mutable_buffer Session::prepare_read() {
    if (idle_) {
        stream_.expire_at(requests_ == 0 ? head_deadline_ : last_active_ + settings_.idle_timeout);
    } else {
        stream_.expire_at(head_deadline_);
    }
    return read_buffer_.prepare(ReadBuffer::idle_bytes);
}

Session::Step Session::on_read(std::size_t bytes, const error_code& error) {
    if (error == asio::error::operation_aborted && stream_.expired()) return on_timeout();
    if (error) return on_disconnect();
    read_buffer_.commit(bytes);
    io_thread_.bytes_in += bytes;
    auto next = serve();
    if (next == Step::read && idle_ && !read_buffer_.unread().empty()) {
        idle_ = false;
        if (requests_ > 0) head_deadline_ = io_thread_.server.clock.monotonic() + settings_.header_timeout;
    }
    return next;
}

Session::Step Session::on_timeout() {
    if (idle_) {
        io_thread_.server.metrics.timeouts_idle.add();
        return Step::close;
    }
    io_thread_.server.metrics.timeouts_header.add();
    begin_request({.keep_alive = false});
    linger_ = true;
    return reject(head_too_slow());
}

void Session::begin_request(const Framing& framing) {
    body_.begin(framing);
    ++requests_;
    idle_ = false;
    context_.arrived = io_thread_.server.clock.monotonic();
    context_.started = io_thread_.server.clock.now();
    stream_.expire_never();
    if (trusted_peer_) {
        request_.peer.address = io_thread_.server.trusted_proxies.client_address(peer_, request_.headers);
    } else {
        request_.peer.address = peer_text_;
    }
    request_.peer.port = peer_port_;
    request_.secure = stream_.secure();
    request_.exposure = settings_.exposure;
    summary_ = {};
    keep_alive_ = framing.keep_alive;
}

void Session::end_request(bool complete) {
    last_active_ = io_thread_.server.clock.monotonic();
    summary_.duration = last_active_ - context_.arrived;
    summary_.request_body_bytes = body_.bytes_read();
    summary_.complete = complete;
    try {
        io_thread_.server.application.finish(request_, context_, summary_);
    } catch (const std::exception& exception) {
        log({.level = Level::error,
             .message = "a finished request could not be recorded",
             .fields = {{"request", context_.id.text}, {"cause", exception.what()}}});
    }
    body_permit_.release();
    release_response();
}

Session::Step Session::next_request() {
    if (request_.body.capacity() > kept_bytes_max) std::string().swap(request_.body);
    if (head_.capacity() > kept_bytes_max) std::string().swap(head_);
    response_.clear_body();
    body_.release();
    clear(request_);
    clear(context_);
    parser_.begin();
    idle_ = true;
    return Step::serve;
}

http::Admission Session::call_admit() {
    try {
        return io_thread_.server.application.admit(request_, context_);
    } catch (const std::exception& exception) {
        context_.cause = exception.what();
        return call_reject(internal_error());
    }
}

http::Response Session::call_handler() {
    try {
        return io_thread_.server.application.handle(request_, context_);
    } catch (const std::exception& exception) {
        context_.cause = exception.what();
        return call_reject(internal_error());
    }
}

http::Response Session::complete_pending() {
    try {
        auto response = pending_.complete();
        pending_ = {};
        return response;
    } catch (const std::exception& exception) {
        pending_ = {};
        context_.cause = exception.what();
        return call_reject(internal_error());
    }
}

// Calls the handler, or returns the step that does.
Session::Step Session::start_handler() {
    switch (execution_) {
        case http::Execution::on_io_thread: return dispatch(call_handler());
        case http::Execution::single_query: return start_single_query();
        case http::Execution::blocking:
        case http::Execution::spooled: break;
    }
    return Step::handle_blocking;
}

// Calls the handler with the completion source, unless parsing the body would delay other clients.
Session::Step Session::start_single_query() {
    bool small = request_.body.size() <= inline_body_bytes_max;
    if (!small || !io_thread_.attach_completions(context_)) return Step::handle_blocking;
    auto response = call_handler();
    io_thread_.detach_completions(context_);
    return dispatch(std::move(response));
}

std::optional<http::Response> Session::call_consumer(bool last) {
    try {
        auto response = consumer_(request_.body, last);
        ASSERT(response || !last);
        return response;
    } catch (const std::exception& exception) {
        context_.cause = exception.what();
        return call_reject(internal_error());
    }
}

http::FullResponse Session::call_reject(const Problem& problem) {
    return io_thread_.server.application.reject(request_, context_, problem);
}

Session::Step Session::reject(const Problem& problem) {
    return respond(call_reject(problem));
}

// Responds with 500; context_.cause holds the details for the log.
Session::Step Session::reject_internal_error() {
    return reject(internal_error());
}

Session::Step Session::dispatch(http::Admission admission) {
    if (auto* full = std::get_if<http::FullResponse>(&admission)) return respond(std::move(*full));
    if (auto* proxied = std::get_if<http::ProxyRequest>(&admission)) {
        proxy_request_ = std::move(*proxied);
        return Step::proxy;
    }
    if (auto* read = std::get_if<http::ReadBody>(&admission)) {
        body_limit_ = std::min(read->max_bytes, settings_.max_body_bytes);
        execution_ = read->execution;
        if (!body_.finished()) return Step::read_body;
        return start_handler();
    }
    if (auto* stream = std::get_if<http::StreamBody>(&admission)) {
        body_limit_ = stream->max_bytes;
        consumer_ = std::move(stream->consume);
        return Step::stream_body;
    }
    if (auto* streaming = std::get_if<http::StreamingResponse>(&admission))
        return start_stream(std::move(*streaming));
    if (auto* pending = std::get_if<http::PendingResponse>(&admission)) {
        pending_ = std::move(*pending);
        return Step::await_pending;
    }
    return Step::admit_blocking;
}

Session::Step Session::dispatch(http::Response response) {
    if (auto* full = std::get_if<http::FullResponse>(&response)) return respond(std::move(*full));
    if (auto* pending = std::get_if<http::PendingResponse>(&response)) {
        pending_ = std::move(*pending);
        return Step::await_pending;
    }
    if (std::holds_alternative<http::NeedsBlockingThread>(response)) return Step::handle_blocking;
    if (auto* streaming = std::get_if<http::StreamingResponse>(&response))
        return start_stream(std::move(*streaming));
    proxy_request_ = std::move(std::get<http::ProxyRequest>(response));
    return Step::proxy;
}

// Returns whether the connection can carry another request after this response.
bool Session::can_keep_alive() const {
    if (!keep_alive_ || io_thread_.draining || requests_ >= settings_.max_requests_per_connection)
        return false;
    if (body_.finished()) return true;
    auto length = body_.length();
    return length && !body_.awaits_continue() && *length - body_.bytes_read() <= discarded_bytes_max;
}

Session::Step Session::respond(http::FullResponse response) {
    keep_alive_ = can_keep_alive();
    linger_ |= !keep_alive_ && !body_.finished();
    response_ = std::move(response);
    bool body_allowed = allows_body(response_.status);
    omits_body_ = !body_allowed || request_.method == http::Method::head;
    ResponseFraming framing{.content_length = response_.bytes().size(),
                            .keep_alive = keep_alive_,
                            .http_1_0 = parser_.framing().http_1_0};
    if (!body_allowed) framing.content_length.reset();
    write_head(response_.status, response_.headers, framing);
    if (omits_body_) response_.clear_body();
    auto body = response_.bytes();
    summary_.response_body_bytes = body.size();

    error_code error;
    bytes_sent_ = stream_.try_write({asio::buffer(head_), asio::buffer(body)}, error);
    io_thread_.bytes_out += bytes_sent_;
    if (error) return on_disconnect();
    if (bytes_sent_ < head_.size() + body.size()) return Step::flush;
    return after_response();
}

void Session::write_head(int status, const http::Headers& headers, const ResponseFraming& framing) {
    head_.clear();
    int dropped = append_response_head(head_, status, headers, context_.response_headers, framing,
                                       io_thread_.date.at(context_.started));
    if (dropped > 0) report_dropped_fields();
    summary_.status = status;
}

Session::Step Session::start_stream(http::StreamingResponse stream) {
    ResponseStreamer::Context context{.io_thread = io_thread_,
                                      .client = stream_,
                                      .read_buffer = read_buffer_,
                                      .request_context = context_,
                                      .rate = response_rate_};
    streamer_ = std::make_unique<ResponseStreamer>(context, std::move(stream));
    return Step::stream;
}

// Reports a response field with a line break, which would have injected another field or a body.
void Session::report_dropped_fields() {
    io_thread_.server.metrics.fields_dropped.add();
    log({.level = Level::error,
         .message = "a response field contains CR, LF or NUL and was dropped",
         .fields = {{"request", context_.id.text}, {"target", request_.target}}});
}

Session::Step Session::after_response() {
    end_request(true);
    if (!keep_alive_) return Step::close;
    if (!body_.finished()) return Step::discard_body;
    return next_request();
}

// Ends the session of a client that disconnected, during a request or between two.
Session::Step Session::on_disconnect() {
    disconnected_ = true;
    if (context_.arrived != Monotonic()) end_request(false);
    return Step::close;
}

Awaitable<void> Session::run(std::unique_ptr<Session> session) {
    Session& self = *session;
    auto next = Step::read;
    if (self.io_thread_.server.certificates) {
        bool handshake_done = co_await self.handshake();
        if (!handshake_done) co_return;
    }
    while (next != Step::close) {
        if (next == Step::read) {
            // A drain between two steps found no read to cancel.
            if (self.io_thread_.draining && self.idle_ && !self.stream_.readable()) break;
            auto buffer = self.prepare_read();
            error_code error;
            auto bytes = co_await self.stream_.read_some(buffer, error);
            next = self.on_read(bytes, error);
        } else if (next == Step::serve) {
            next = self.serve();
        } else {
            next = co_await self.run_step(next);
        }
    }
    co_await self.close();
}

Awaitable<bool> Session::handshake() {
    auto context = io_thread_.server.certificates->current();
    stream_.expire_at(head_deadline_);
    error_code error;
    co_await stream_.accept_tls(context.get(), error);
    if (error) {
        if (stream_.expired()) io_thread_.server.metrics.timeouts_handshake.add();
        io_thread_.server.metrics.handshakes_failed.add();
        co_return false;
    }
    last_active_ = io_thread_.server.clock.monotonic();
    head_deadline_ = last_active_ + settings_.header_timeout;
    co_return true;
}

Awaitable<Session::Step> Session::run_step(Step step) {
    switch (step) {
        case Step::read_body: return read_body();
        case Step::stream_body: return stream_body();
        case Step::admit_blocking: return run_blocking(BlockingStep::admit);
        case Step::handle_blocking: return run_blocking(BlockingStep::handle);
        case Step::await_pending: return await_pending();
        case Step::proxy: return proxy();
        case Step::stream: return run_stream();
        case Step::flush: return flush();
        case Step::discard_body: return discard_body();
        case Step::read:
        case Step::serve:
        case Step::close: break;
    }
    ASSERT(false);
}

// Rejects a request whose body is invalid or incomplete. The rest of it is indistinguishable from a next
// request, so the connection is closed.
Session::Step Session::reject_body(const Problem& problem) {
    if (problem.status == 0) return on_disconnect();
    if (stream_.expired()) io_thread_.server.metrics.timeouts_body.add();
    keep_alive_ = false;
    linger_ = true;
    return reject(problem);
}

Session::Step Session::reject_overloaded(BlockingResult result) {
    return reject(overloaded(result == BlockingResult::full
                                 ? "All blocking threads are busy and their queue is full. Try again."
                                 : "The request's deadline passed before a thread was free. Try again."));
}

// The tenant of the route holds what a request uses, and in it the principal, or else the client's address.
Bulkhead::Holder Session::holder() const {
    // Only the operators' own callers may use their reserve on the routes of the platform.
    static const TenantId others{"(not operators)"};
    const auto* principal = context_.principal.get();
    bool is_operator = principal && principal->tenant == platform_tenant &&
                       (principal->kind == PrincipalKind::key || principal->role == "admin");
    const auto& tenant = context_.tenant == platform_tenant && !is_operator ? others : context_.tenant;
    const auto& caller = principal ? principal->subject : request_.peer.address;
    return {tenant, std::hash<std::string>()(caller) | 1u};
}

bool Session::reserve_body(std::size_t bytes) {
    return body_permit_.try_acquire(io_thread_.server.bodies, holder(), bytes);
}

// Under pressure the slowest readers of this thread make room: those of the same caller first, so that a
// caller that reads nothing displaces itself, then those of the same tenant.
bool Session::hold_response(std::size_t bytes) {
    if (response_permit_.units() > 0) return true;
    auto [tenant, caller] = holder();
    while (!response_permit_.try_acquire(io_thread_.server.responses, {tenant, caller}, bytes)) {
        auto* slowest = io_thread_.find_slowest_reader(tenant, caller);
        if (!slowest) slowest = io_thread_.find_slowest_reader(tenant, 0);
        if (!slowest) {
            io_thread_.server.metrics.responses_shed.add();
            return false;
        }
        slowest->shed();
    }
    response_began_ = io_thread_.server.clock.monotonic();
    io_thread_.server.metrics.response_bytes_in_flight.add(static_cast<std::int64_t>(bytes));
    return true;
}

void Session::release_response() {
    if (response_permit_.units() == 0) return;
    io_thread_.server.metrics.response_bytes_in_flight.add(
        -static_cast<std::int64_t>(response_permit_.units()));
    response_permit_.release();
}

// Returns the bytes per second since the client began to be slow, if this session holds memory of the holder.
std::optional<double> Session::reading_rate(const TenantId& tenant, std::uint64_t caller) const {
    if (response_permit_.units() == 0) return std::nullopt;
    auto [own_tenant, own_caller] = holder();
    if (own_tenant != tenant || (caller != 0 && own_caller != caller)) return std::nullopt;
    std::chrono::duration<double> time = io_thread_.server.clock.monotonic() - response_began_;
    auto bytes = streamer_ ? streamer_->body_bytes_sent() : response_rate_.bytes();
    return static_cast<double>(bytes) / (time.count() + 1);  // A second, so that a new reader is not judged.
}

void Session::shed() {
    io_thread_.server.metrics.responses_shed.add();
    release_response();
    stream_.reset();
}

Session::Step Session::reject_body_memory() {
    io_thread_.server.metrics.bodies_refused.add();
    return reject(overloaded("Too many request bodies are being received. Send it again later."));
}

Awaitable<Session::Step> Session::read_body() {
    body_.set_limit(body_limit_);
    body_.set_deadline(context_.deadline);
    for (;;) {
        auto chunk = co_await body_.read();
        io_thread_.bytes_in += chunk.bytes.size();
        if (chunk.problem) co_return reject_body(*chunk.problem);
        if (!reserve_body(chunk.bytes.size())) co_return reject_body_memory();
        request_.body.append(chunk.bytes);
        if (chunk.finished) break;
    }
    stream_.expire_never();
    co_return start_handler();
}

// Nothing is read while a chunk is consumed, so that TCP flow control slows the client down.
Awaitable<Session::Step> Session::stream_body() {
    body_.set_limit(body_limit_);
    body_.set_deadline(context_.deadline);
    if (!reserve_body(body_chunk_bytes)) co_return reject_body_memory();
    for (;;) {
        request_.body.clear();
        do {
            auto chunk = co_await body_.read();
            io_thread_.bytes_in += chunk.bytes.size();
            if (chunk.problem) {
                consumer_ = nullptr;  // The consumer rolls back before the request is finished.
                co_return reject_body(*chunk.problem);
            }
            request_.body.append(chunk.bytes);
        } while (!body_.finished() && request_.body.size() < body_chunk_bytes);
        stream_.expire_never();
        std::optional<http::Response> response;
        std::function<void()> work = [&] { response = call_consumer(body_.finished()); };
        context_.may_block = true;
        auto result = co_await submit_blocking(std::move(work));
        context_.may_block = false;
        if (result != BlockingResult::done) {
            consumer_ = nullptr;
            co_return reject_overloaded(result);
        }
        if (response) {
            consumer_ = nullptr;
            co_return dispatch(*std::move(response));
        }
    }
}

// Not a coroutine: the work is submitted before the session is suspended, and the pool's thread posts the
// result back to the session's thread.
Awaitable<Session::BlockingResult> Session::submit_blocking(std::function<void()> work) {
    auto start = [this, work = std::move(work)](auto handler) mutable {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        auto executor = io_thread_.io_context.get_executor();
        auto finish = [resume, executor](BlockingResult result) {
            asio::post(executor, [resume, result] { std::move (*resume)(result); });
        };
        auto [tenant, caller] = holder();
        BlockingPool::Job job{
            .tenant = tenant,
            .caller = caller,
            .deadline = context_.deadline,
            .work = std::move(work),
            .finished =
                [finish](bool done) { finish(done ? BlockingResult::done : BlockingResult::expired); },
        };
        if (!io_thread_.server.pool.submit(job)) finish(BlockingResult::full);
    };
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(BlockingResult)>(std::move(start),
                                                                                             use_awaitable);
}

Awaitable<Session::Step> Session::run_blocking(BlockingStep step) {
    context_.may_block = true;
    http::Admission admission;
    http::Response response;
    std::function<void()> work;
    if (step == BlockingStep::admit) {
        work = [&] { admission = call_admit(); };
    } else if (step == BlockingStep::complete) {
        work = [&] { response = complete_pending(); };
    } else {
        work = [&] { response = call_handler(); };
    }
    auto result = co_await submit_blocking(std::move(work));
    context_.may_block = false;
    if (result != BlockingResult::done) pending_ = {};
    if (result == BlockingResult::done && step != BlockingStep::admit) {
        // may_block was set; only the completion of a query may ask for another attempt.
        ASSERT(step == BlockingStep::complete ||
               !std::holds_alternative<http::NeedsBlockingThread>(response));
        co_return dispatch(std::move(response));
    }
    if (result == BlockingResult::done) {
        ASSERT(!std::holds_alternative<http::NeedsBlockingThread>(admission));  // may_block was set.
        co_return dispatch(std::move(admission));
    }
    co_return reject_overloaded(result);
}

Awaitable<Session::Step> Session::await_pending() {
    using State = PendingWait::State;
    if (!pending_wait_) pending_wait_ = std::make_unique<PendingWait>(io_thread_, stream_, read_buffer_);
    auto& wait = *pending_wait_;
    wait.begin(pending_);
    if (wait.state() == State::waiting) co_await wait.suspend();
    if (wait.state() == State::waiting) {
        body_.release();
        co_await wait.wait_reading(context_.deadline);
    }
    auto state = wait.end();
    if (state == State::ready) co_return dispatch(complete_pending());
    if (state == State::ready_large) co_return co_await run_blocking(BlockingStep::complete);
    pending_ = {};  // Destroys the state of the handler; the callback has no effect any more.
    if (state == State::disconnected) co_return on_disconnect();
    auto problem = http::not_ready_in_time();
    co_return reject(problem);
}

Awaitable<Session::Step> Session::proxy() {
    ProxyContext context{.client = stream_,
                         .body = body_,
                         .request = request_,
                         .call = context_,
                         .http_1_0 = parser_.framing().http_1_0,
                         .keep_alive = keep_alive_ && requests_ < settings_.max_requests_per_connection,
                         .draining = io_thread_.draining,
                         .date = io_thread_.date,
                         .rate = response_rate_,
                         .hold_memory = hold_};
    response_rate_.begin();
    auto result = co_await net::forward_request(context, proxy_request_, io_thread_.upstreams);
    io_thread_.bytes_in += body_.bytes_read();
    io_thread_.bytes_out += result.outcome.response_body_bytes;
    stream_.expire_never();
    summary_ = result.outcome;
    keep_alive_ = result.keep_alive;
    if (result.problem) co_return reject(*result.problem);
    disconnected_ = !summary_.complete;
    linger_ |= !keep_alive_ && !body_.finished();
    end_request(summary_.complete);
    if (!keep_alive_) co_return Step::close;
    co_return body_.finished() ? next_request() : Step::discard_body;
}

Awaitable<Session::Step> Session::run_stream() {
    response_rate_.begin();
    const auto& response = streamer_->response();
    bool omits_body = request_.method == http::Method::head || !allows_body(response.status);
    body_.release();
    if (!omits_body && !streamer_->endless() && !hold_response(ResponseStreamer::held_bytes)) {
        streamer_.reset();
        co_return reject(overloaded("Too many responses are being read slowly. Try again later."));
    }
    if (!omits_body) {
        bool prepared = co_await streamer_->prepare();
        if (!prepared) {
            streamer_.reset();
            co_return reject_internal_error();
        }
    }
    keep_alive_ = can_keep_alive() && body_.finished();
    linger_ |= !keep_alive_ && !body_.finished();
    ResponseFraming framing{.keep_alive = keep_alive_, .http_1_0 = parser_.framing().http_1_0};
    if (allows_body(response.status)) framing.content_length = body_length(response);
    framing.chunked = allows_body(response.status) && !framing.content_length && !framing.http_1_0;
    if (!framing.content_length && !framing.chunked && !omits_body) framing.keep_alive = keep_alive_ = false;
    write_head(response.status, response.headers, framing);
    if (omits_body) {
        streamer_.reset();
        response_.clear_body();
        bytes_sent_ = 0;
        co_return Step::flush;
    }
    auto head = std::move(head_);
    bool complete = co_await streamer_->run(std::move(head), framing.chunked);
    co_return after_stream(complete);
}

// Destroys the body stream before the request is finished.
Session::Step Session::after_stream(bool complete) {
    summary_.response_body_bytes = streamer_->body_bytes_sent();
    disconnected_ = !complete || streamer_->client_disconnected();
    streamer_.reset();
    stream_.expire_never();
    if (!complete) stream_.reset();
    end_request(complete);
    return keep_alive_ && !disconnected_ ? next_request() : Step::close;
}

Awaitable<Session::Step> Session::flush() {
    auto size = head_.size() + response_.bytes().size();
    response_rate_.begin();
    response_rate_.add(bytes_sent_);
    if (!hold_response(head_.size() + response_.body.size())) stream_.reset();
    while (bytes_sent_ < size) {
        auto head = std::string_view(head_).substr(std::min(bytes_sent_, head_.size()));
        auto body = response_.bytes().substr(std::max(bytes_sent_, head_.size()) - head_.size());
        body = body.substr(0, flush_bytes);
        Buffers buffers{asio::buffer(head), asio::buffer(body)};
        auto began = io_thread_.server.clock.monotonic();
        stream_.expire_at(response_rate_.deadline(began));
        error_code error;
        co_await stream_.write(buffers, error);
        response_rate_.add_wait(io_thread_.server.clock.monotonic() - began);
        if (error) {
            if (stream_.expired()) io_thread_.server.metrics.timeouts_write.add();
            co_return on_disconnect();
        }
        bytes_sent_ += head.size() + body.size();
        response_rate_.add(head.size() + body.size());
        io_thread_.bytes_out += head.size() + body.size();
    }
    co_return after_response();
}

Awaitable<Session::Step> Session::discard_body() {
    body_.set_limit(static_cast<std::size_t>(*body_.length()));
    while (!body_.finished()) {
        auto chunk = co_await body_.read();
        io_thread_.bytes_in += chunk.bytes.size();
        if (chunk.problem) co_return Step::close;
    }
    co_return next_request();
}

Awaitable<void> Session::close() {
    if (disconnected_ || !stream_.open()) co_return;
    error_code error;
    stream_.expire_at(io_thread_.server.clock.monotonic() + linger_timeout);
    if (stream_.secure()) {
        co_await stream_.finish_tls(error);
        co_return;
    }
    if (!linger_ && read_buffer_.unread().empty() && !stream_.readable()) co_return;
    stream_.finish_sending();
    for (std::size_t bytes = 0; bytes < linger_bytes_max && !error;) {
        read_buffer_.consume(read_buffer_.unread().size());
        auto buffer = read_buffer_.prepare(ReadBuffer::idle_bytes);
        bytes += co_await stream_.read_some(buffer, error);
    }
}

}  // namespace integreat::net
