// SPDX-License-Identifier: Apache-2.0
// One I/O thread with its own io_context, its own listener on the shared port (SO_REUSEPORT) and its own
// sessions. Sessions of different I/O threads share nothing that is written per request: counters are kept
// here and added to the metrics a few times a second.
#pragma once

#include <atomic>
#include <condition_variable>
#include <optional>
#include <thread>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "base/resilience/bulkhead.h"
#include "http/transport/application.h"
#include "metrics/registry.h"
#include "net/http1/request_parser.h"
#include "net/http1/response_writer.h"
#include "net/io/deadline_sweeper.h"
#include "net/io/tls_certificates.h"
#include "net/proxy/upstream_pool.h"
#include "net/server/blocking_pool.h"
#include "net/server/connection_limiter.h"
#include "net/server/server_metrics.h"
#include "net/server/server_settings.h"

namespace integreat::net {

class PendingWait;
class Session;

// Objects shared by all I/O threads of a server; they outlive the threads.
struct ServerContext {
    const ServerSettings& settings;
    const http::Application& application;
    const Clock& clock;
    const ServerMetrics& metrics;
    ConnectionLimiter& connection_limiter;
    const TrustedProxies& trusted_proxies;
    TlsCertificates* certificates;  // Null: plain HTTP.
    UpstreamRegistry& upstreams;
    BlockingPool& pool;
    Bulkhead& bodies;                    // Bytes of request bodies in memory.
    Bulkhead& responses;                 // Bytes of responses that clients have not read yet.
    Synchronized<int>& io_threads_busy;  // Threads that have sessions or still accept connections.
    std::condition_variable& all_idle;
    int threads;
};

class IoThread {
public:
    explicit IoThread(const ServerContext& server_context);
    ~IoThread();

    // Binds and listens. Returns the bound port.
    Result<std::uint16_t> listen(std::uint16_t port);
    void start();

    // Callable from other threads.
    void drain();  // Stops accepting and closes idle sessions; the others finish their request.
    void abort();  // Closes all connections immediately.
    void join();   // Ends the thread; call after drain or abort, and after the blocking pool has stopped.

    // Members used by sessions on this thread.
    const ServerContext server;
    asio::io_context io_context;
    DeadlineSweeper sweeper;
    UpstreamPools upstreams;
    DateHeader date;
    bool draining = false;
    std::uint64_t bytes_in = 0;  // Bytes received since the last tick.
    std::uint64_t bytes_out = 0;

    // Attaches the completion source to a request until detach_completions. Returns false if there is none.
    bool attach_completions(http::RequestContext& context) const;
    void detach_completions(http::RequestContext& context) const;
    // Calls `resume`, which continues a session, if the calling thread runs the completion source of
    // `io_thread`; otherwise returns false. Only compares the address: `io_thread` may be gone.
    template <class Resume>
    static bool resume_from_completions(const IoThread* io_thread, Resume resume) {
        if (completing_ != io_thread) return false;
        completing_ = nullptr;
        resume();
        completing_ = io_thread;
        return true;
    }

    // Returns the session of this thread that reads its response slowest among those that hold memory for it
    // and are the tenant's, of `caller` if that is not 0; null if there is none.
    Session* find_slowest_reader(const TenantId& tenant, std::uint64_t caller);

    void add_session(Session& session);
    void remove_session(Session& session);
    void add_wait(PendingWait& wait);  // A suspended wait, until remove_wait.
    void remove_wait(PendingWait& wait);

private:
    static Awaitable<void> accept(IoThread& io_thread);
    void accept_connection(Socket socket, const tcp::endpoint& peer);
    void accept_backlog();
    void reject(Socket socket);
    void tick();
    void report_idle();
    void watch_completions();
    void run_completions(const std::function<void()>& run) const;

    // The I/O thread whose completion source the current thread runs, while no session continues from it.
    static inline constinit thread_local const IoThread* completing_ = nullptr;

    http::CompletionSource completions_;
    std::optional<asio::posix::basic_stream_descriptor<Executor>> completions_watch_;
    Acceptor acceptor_;
    Timer accept_pause_;
    Session* first_ = nullptr;
    PendingWait* first_wait_ = nullptr;
    std::thread thread_;
    bool accepting_ = false;
    bool reported_idle_ = false;
};

}  // namespace integreat::net
