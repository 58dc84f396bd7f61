// SPDX-License-Identifier: Apache-2.0
// Test support: a loopback server that runs a script for each connection, with blocking calls on a separate
// thread. Scripts can simulate slow responses, wrong lengths and aborted connections.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

namespace integreat::net {

// One end of a TCP connection.
class TestConnection {
public:
    explicit TestConnection(int descriptor) : descriptor_(descriptor) {}
    TestConnection(const TestConnection&) = delete;
    TestConnection& operator=(const TestConnection&) = delete;
    ~TestConnection() { close(); }

    static int connect(std::uint16_t port) {
        int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{
            .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
        ASSERT(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        return descriptor;
    }

    // Sends all bytes. Returns false if the peer has disconnected.
    bool send(std::string_view text) {
        while (!text.empty()) {
            auto sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    // Reads up to and including `end`, or until the stream ends, fails or is idle for ten seconds.
    std::string read_until(std::string_view end) {
        for (;;) {
            if (auto at = unread_.find(end); at != std::string::npos) return take_unread(at + end.size());
            if (!receive()) return take_unread(unread_.size());
        }
    }
    std::string read_head() { return read_until("\r\n\r\n"); }
    std::string read(std::size_t size) {
        while (unread_.size() < size && receive()) {
        }
        return take_unread(std::min(size, unread_.size()));
    }
    std::string read_all() {
        while (receive()) {
        }
        return take_unread(unread_.size());
    }

    void finish_sending() { ::shutdown(descriptor_, SHUT_WR); }
    // Ends blocking calls. Callable from any thread.
    void shut_down() {
        std::lock_guard lock(closing_);
        ::shutdown(descriptor_, SHUT_RDWR);
    }
    void reset() {
        linger now{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }
    void close() {
        std::lock_guard lock(closing_);
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = -1;
    }
    bool was_reset() const { return reset_; }

private:
    bool receive() {
        pollfd descriptor{.fd = descriptor_, .events = POLLIN, .revents = 0};
        if (descriptor_ < 0 || ::poll(&descriptor, 1, 10'000) <= 0) return false;
        char bytes[16 * 1024];
        auto size = ::recv(descriptor_, bytes, sizeof bytes, 0);
        reset_ = reset_ || size < 0;
        if (size > 0) unread_.append(bytes, static_cast<std::size_t>(size));
        return size > 0;
    }
    std::string take_unread(std::size_t size) {
        auto text = unread_.substr(0, size);
        unread_.erase(0, size);
        return text;
    }

    std::mutex closing_;
    std::atomic<int> descriptor_;
    std::string unread_;
    bool reset_ = false;
};

class LoopbackServer {
public:
    using Script = std::function<void(TestConnection&)>;

    explicit LoopbackServer(Script script) : script_(std::move(script)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        socklen_t size = sizeof address;
        ASSERT(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        ASSERT(::listen(listener_, 64) == 0);
        ASSERT(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { accept(); });
    }
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;
    ~LoopbackServer() {
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        ::close(listener_);
        for (auto& accepted_connection : connections_)
            accepted_connection->connection.shut_down();
        for (auto& accepted_connection : connections_)
            accepted_connection->thread.join();
    }

    std::uint16_t port() const { return port_; }
    int accepted() const { return accepted_; }

private:
    struct Accepted {
        explicit Accepted(int descriptor) : connection(descriptor) {}
        TestConnection connection;
        std::thread thread;
    };

    void accept() {
        for (;;) {
            int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (descriptor < 0) return;
            ++accepted_;
            auto& accepted_connection = connections_.emplace_back(std::make_unique<Accepted>(descriptor));
            accepted_connection->thread = std::thread([this, &connection = accepted_connection->connection] {
                script_(connection);
                connection.shut_down();
            });
        }
    }

    Script script_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<int> accepted_{0};
    std::thread acceptor_;
    std::vector<std::unique_ptr<Accepted>> connections_;  // Owned by the acceptor thread until it is joined.
};

}  // namespace integreat::net
