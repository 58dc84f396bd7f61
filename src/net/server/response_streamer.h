// SPDX-License-Identifier: Apache-2.0
// One http::Stream on its way to a client: asks the source for a piece, frames it, writes it, and only then
// asks again, so that a client that reads slowly slows the source down and costs one piece of memory. While
// the source is idle the stream waits in a read from the client: its end ends the stream, and whatever else
// should happen (a wake, the heartbeat, a drain) cancels the read. So an idle stream is a few kilobytes, and
// neither a thread nor a timer.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "http/transport/application.h"
#include "net/io/read_buffer.h"
#include "net/server/io_thread.h"

namespace integreat::net {

class Streaming {
public:
    // `within` is the session's: they live longer.
    struct Within {
        Worker& worker;
        Stream& client;
        Input& input;
        http::Call& call;
    };
    Streaming(Within within, http::Stream stream);
    Streaming(const Streaming&) = delete;
    Streaming& operator=(const Streaming&) = delete;
    ~Streaming();  // The source is gone, and no wake arrives any more.

    const http::Stream& what() const { return what_; }
    bool endless() const { return !what_.heartbeat.empty(); }

    // The first piece is made before the head is sent: false if none could be, so that there is time for an
    // honest status.
    Awaitable<bool> begin();
    // All of it, behind `head`. False if the body is not whole; the connection must be reset then.
    Awaitable<bool> run(std::string head, bool chunked);

    std::uint64_t body_bytes() const { return body_bytes_; }
    bool client_gone() const { return gone_; }

    // On the thread of the session: look again at what you are waiting for.
    void interrupt() {
        if (parked_) client_.cancel();
    }

private:
    struct Bell;

    bool over() const;  // An endless one that ends now.
    bool awake() const;
    void ask();
    void check_length();
    Awaitable<void> produce();
    Awaitable<bool> produce_on_pool();
    void frame(bool last);
    Awaitable<bool> send();
    Awaitable<bool> wait_for_wake();
    Awaitable<void> park(Monotonic deadline);
    Awaitable<void> yield();
    bool break_off(std::string_view cause);

    // A region of a file. Small ones, and those inside TLS, pass through memory.
    bool read_region(std::size_t bytes_max);
    Awaitable<bool> run_region();
    Awaitable<bool> send_region();

    Monotonic now() const { return worker_.parts.clock.monotonic(); }

    Worker& worker_;
    Stream& client_;
    Input& input_;
    http::Call& call_;
    http::Stream what_;
    std::shared_ptr<Bell> bell_;
    http::Wake wake_;
    http::Pace pace_ = http::Pace::more;
    std::string cause_;   // Of a broken source.
    std::string prefix_;  // What goes before the piece: the head, the size of a chunk.
    std::string piece_;
    std::uint64_t made_ = 0;        // Bytes of the body, by the source or from the file.
    std::uint64_t body_bytes_ = 0;  // Of those, the sent ones.
    bool chunked_ = false;
    bool parked_ = false;
    bool gone_ = false;
};

}  // namespace integreat::net
