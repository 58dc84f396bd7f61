// SPDX-License-Identifier: Apache-2.0
// The part of a session that waits: for clients that are slow, bodies, the waiting pool, upstreams.
#include <algorithm>

#include <boost/asio/post.hpp>

#include "net/proxy/reverse_proxy.h"
#include "net/server/session.h"

namespace integreat::net {

namespace {

using http::Problem;

// How long, and for how many bytes, a connection that we end is still read from, so that the client gets to
// see our answer instead of a reset.
constexpr std::chrono::milliseconds linger_timeout{1'000};
constexpr std::size_t lingered_bytes_max = 256 * 1024;
// What a consumer of a streamed body gets at once: large enough that the way to the pool costs little.
constexpr std::size_t piece_bytes = 256 * 1024;
// What must pass to a client within write_timeout.
constexpr std::size_t flushed_bytes = 64 * 1024;

Problem overloaded(std::string_view detail) {
    return {.status = 503,
            .type = "overloaded",
            .title = "Too much is going on here",
            .detail = std::string(detail),
            .retry_after = std::chrono::seconds(1)};
}

}  // namespace

Awaitable<void> Session::run(std::unique_ptr<Session> session) {
    Session& self = *session;
    auto next = Next::receive;
    if (self.worker_.parts.certificates) {
        bool secured = co_await self.secure();
        if (!secured) co_return;
    }
    while (next != Next::close) {
        if (next == Next::receive) {
            // A drain between two steps of ours found no wait to cancel.
            if (self.worker_.draining && self.idle_ && !self.stream_.readable()) break;
            auto room = self.before_receive();
            error_code error;
            auto bytes = co_await self.stream_.read_some(room, error);
            next = self.after_receive(bytes, error);
        } else if (next == Next::serve) {
            next = self.serve();
        } else {
            next = co_await self.carry_out(next);
        }
    }
    co_await self.close();
}

Awaitable<bool> Session::secure() {
    auto context = worker_.parts.certificates->current();
    stream_.expire_at(head_deadline_);
    error_code error;
    co_await stream_.accept_tls(context.get(), error);
    if (error) {
        if (stream_.expired()) worker_.parts.metrics.timeouts_handshake.add();
        worker_.parts.metrics.handshakes_failed.add();
        co_return false;
    }
    active_ = worker_.parts.clock.monotonic();
    head_deadline_ = active_ + settings_.header_timeout;
    co_return true;
}

Awaitable<Session::Next> Session::carry_out(Next next) {
    switch (next) {
        case Next::read_body: return read_body();
        case Next::stream_body: return stream_body();
        case Next::admit_on_pool: return on_pool(PoolStep::admit);
        case Next::answer_on_pool: return on_pool(PoolStep::answer);
        case Next::answer_later: return answer_later();
        case Next::relay: return relay();
        case Next::stream: return carry_stream();
        case Next::flush: return flush();
        case Next::discard: return discard();
        case Next::receive:
        case Next::serve:
        case Next::close: break;
    }
    ASSERT(false);
}

// The body broke a limit or off: what is left of it cannot be told from a next request.
Session::Next Session::refuse_body(const Problem& problem) {
    if (problem.status == 0) return gone();
    if (stream_.expired()) worker_.parts.metrics.timeouts_body.add();
    keep_ = false;
    linger_ = true;
    return refuse(problem);
}

Session::Next Session::refuse_unfinished(PoolEnd end) {
    return refuse(
        overloaded(end == PoolEnd::full
                       ? "All threads that may wait are busy, and so is the queue before them; try again."
                       : "The request's time was over before a thread was free for it; try again."));
}

Awaitable<Session::Next> Session::read_body() {
    body_.limit(body_limit_);
    body_.expire_at(call_.deadline);
    for (;;) {
        auto piece = co_await body_.read();
        worker_.bytes_in += piece.bytes.size();
        if (piece.problem) co_return refuse_body(*piece.problem);
        if (!worker_.reserve_body(piece.bytes.size())) {
            worker_.parts.metrics.bodies_refused.add();
            auto problem = overloaded("Too many bodies are being received at once; send it again later.");
            co_return refuse(problem);
        }
        body_reserved_ += piece.bytes.size();
        request_.body.append(piece.bytes);
        if (piece.finished) break;
    }
    stream_.expire_never();
    if (waits_) co_return answer_waiting();
    co_return take(ask_answer());
}

// Nothing is read while a piece is consumed: the client is held back by its own connection.
Awaitable<Session::Next> Session::stream_body() {
    body_.limit(body_limit_);
    body_.expire_at(call_.deadline);
    if (!worker_.reserve_body(piece_bytes)) {
        worker_.parts.metrics.bodies_refused.add();
        auto problem = overloaded("Too many bodies are being received at once; send it again later.");
        co_return refuse(problem);
    }
    body_reserved_ += piece_bytes;
    for (;;) {
        request_.body.clear();
        do {
            auto piece = co_await body_.read();
            worker_.bytes_in += piece.bytes.size();
            if (piece.problem) {
                consume_ = nullptr;  // Undone before anybody hears of the end.
                co_return refuse_body(*piece.problem);
            }
            request_.body.append(piece.bytes);
        } while (!body_.finished() && request_.body.size() < piece_bytes);
        stream_.expire_never();
        std::optional<http::Response> answer;
        std::function<void()> work = [&] { answer = ask_consumer(body_.finished()); };
        call_.may_wait = true;
        auto end = co_await run_on_pool(std::move(work));
        call_.may_wait = false;
        if (end != PoolEnd::done) {
            consume_ = nullptr;
            co_return refuse_unfinished(end);
        }
        if (answer) {
            consume_ = nullptr;
            co_return take(*std::move(answer));
        }
    }
}

// Not a coroutine: the work is handed over before the session is suspended, and the pool's thread posts what
// became of it back to the session's thread.
Awaitable<Session::PoolEnd> Session::run_on_pool(std::function<void()> work) {
    auto start = [this, work = std::move(work)](auto handler) mutable {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        auto executor = worker_.context.get_executor();
        auto finish = [resume, executor](PoolEnd end) {
            asio::post(executor, [resume, end] { std::move (*resume)(end); });
        };
        WaitingPool::Job job{
            .deadline = call_.deadline,
            .work = std::move(work),
            .finished = [finish](bool done) { finish(done ? PoolEnd::done : PoolEnd::expired); },
        };
        if (!worker_.parts.pool.submit(job)) finish(PoolEnd::full);
    };
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(PoolEnd)>(std::move(start),
                                                                                      use_awaitable);
}

Awaitable<Session::Next> Session::on_pool(PoolStep step) {
    call_.may_wait = true;
    http::Admission admission;
    http::Response response;
    std::function<void()> work;
    if (step == PoolStep::admit) {
        work = [&] { admission = ask_admission(); };
    } else if (step == PoolStep::finish) {
        work = [&] { response = ask_finish(); };
    } else {
        work = [&] { response = ask_answer(); };
    }
    auto end = co_await run_on_pool(std::move(work));
    call_.may_wait = false;
    if (end != PoolEnd::done) later_ = {};
    if (end == PoolEnd::done && step != PoolStep::admit) co_return take(std::move(response));
    if (end == PoolEnd::done) {
        ASSERT(!std::holds_alternative<http::Defer>(admission));  // It was told that it may wait.
        co_return take(std::move(admission));
    }
    co_return refuse_unfinished(end);
}

// Not a coroutine either. The lane tells on this very thread.
Awaitable<bool> Session::until_ready() {
    auto start = [this](auto handler) {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        later_.when_ready([resume](bool large) { std::move (*resume)(large); });
    };
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(bool)>(std::move(start),
                                                                                   use_awaitable);
}

Awaitable<Session::Next> Session::answer_later() {
    bool large = co_await until_ready();
    if (large) {
        auto next = co_await on_pool(PoolStep::finish);
        co_return next;
    }
    auto response = ask_finish();
    co_return take(std::move(response));
}

Awaitable<Session::Next> Session::relay() {
    Exchange exchange{.client = stream_,
                      .body = body_,
                      .request = request_,
                      .call = call_,
                      .http_1_0 = parser_.framing().http_1_0,
                      .keep_alive = keep_ && requests_ < settings_.requests_per_connection_max,
                      .draining = worker_.draining,
                      .date = worker_.date,
                      .write_timeout = settings_.write_timeout};
    auto end = co_await net::relay(exchange, relay_, worker_.upstreams);
    worker_.bytes_in += body_.received();
    worker_.bytes_out += end.outcome.response_body_bytes;
    stream_.expire_never();
    outcome_ = end.outcome;
    keep_ = end.keep_alive;
    if (end.problem) co_return refuse(*end.problem);
    broken_ = !outcome_.complete;
    linger_ |= !keep_ && !body_.finished();
    end_request(outcome_.complete);
    if (!keep_) co_return Next::close;
    co_return body_.finished() ? next_request() : Next::discard;
}

Awaitable<Session::Next> Session::carry_stream() {
    const auto& what = streaming_->what();
    bool without_body = request_.method == http::Method::head || !allows_body(what.status);
    body_.release();
    if (!without_body) {
        bool begun = co_await streaming_->begin();
        if (!begun) {
            streaming_.reset();
            co_return refuse_as_bug();
        }
    }
    keep_ = stays_open() && body_.finished();
    linger_ |= !keep_ && !body_.finished();
    ResponseFraming framing{.keep_alive = keep_, .http_1_0 = parser_.framing().http_1_0};
    if (allows_body(what.status)) framing.content_length = length_of(what);
    framing.chunked = allows_body(what.status) && !framing.content_length && !framing.http_1_0;
    if (!framing.content_length && !framing.chunked && !without_body) framing.keep_alive = keep_ = false;
    write_head(what.status, what.headers, framing);
    if (without_body) {
        streaming_.reset();
        reply_.body.clear();
        sent_ = 0;
        co_return Next::flush;
    }
    auto head = std::move(head_);
    bool whole = co_await streaming_->run(std::move(head), framing.chunked);
    co_return after_stream(whole);
}

// The source goes before anybody hears of the end.
Session::Next Session::after_stream(bool whole) {
    outcome_.response_body_bytes = streaming_->body_bytes();
    broken_ = !whole || streaming_->client_gone();
    streaming_.reset();
    stream_.expire_never();
    if (!whole) stream_.reset();
    end_request(whole);
    return keep_ && !broken_ ? next_request() : Next::close;
}

Awaitable<Session::Next> Session::flush() {
    auto size = head_.size() + reply_.body.size();
    while (sent_ < size) {
        auto head = std::string_view(head_).substr(std::min(sent_, head_.size()));
        auto body = std::string_view(reply_.body).substr(std::max(sent_, head_.size()) - head_.size());
        body = body.substr(0, flushed_bytes);
        Buffers buffers{asio::buffer(head), asio::buffer(body)};
        stream_.expire_at(worker_.parts.clock.monotonic() + settings_.write_timeout);
        error_code error;
        co_await stream_.write(buffers, error);
        if (error) {
            if (stream_.expired()) worker_.parts.metrics.timeouts_write.add();
            co_return gone();
        }
        sent_ += head.size() + body.size();
        worker_.bytes_out += head.size() + body.size();
    }
    co_return after_reply();
}

Awaitable<Session::Next> Session::discard() {
    body_.limit(static_cast<std::size_t>(*body_.length()));
    while (!body_.finished()) {
        auto piece = co_await body_.read();
        worker_.bytes_in += piece.bytes.size();
        if (piece.problem) co_return Next::close;
    }
    co_return next_request();
}

Awaitable<void> Session::close() {
    if (broken_ || !stream_.open()) co_return;
    error_code error;
    stream_.expire_at(worker_.parts.clock.monotonic() + linger_timeout);
    if (stream_.secure()) {
        co_await stream_.finish_tls(error);
        co_return;
    }
    if (!linger_ && input_.unread().empty() && !stream_.readable()) co_return;
    stream_.finish_sending();
    for (std::size_t bytes = 0; bytes < lingered_bytes_max && !error;) {
        input_.consume(input_.unread().size());
        auto room = input_.room(Input::idle_bytes);
        bytes += co_await stream_.read_some(room, error);
    }
}

}  // namespace integreat::net
