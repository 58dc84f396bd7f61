// SPDX-License-Identifier: Apache-2.0
// Test fixture: an application that responds to every request with a stream whose body stream is a lambda,
// and counts the live body streams.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "net/testing/test_server.h"

namespace integreat::net {

class LambdaSource final : public http::BodyStream {
public:
    using Produce = std::function<http::ReadStatus(std::string&, const http::ReadRequest&)>;
    LambdaSource(Produce produce, std::atomic<int>& live_streams)
        : produce_(std::move(produce)), live_streams_(live_streams) {
        ++live_streams_;
    }
    ~LambdaSource() override { --live_streams_; }

    http::ReadStatus read(std::string& to, const http::ReadRequest& request) override {
        return produce_(to, request);
    }

private:
    Produce produce_;
    std::atomic<int>& live_streams_;
};

class StreamTest : public ServerTest {
protected:
    static constexpr std::string_view get = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";

    StreamTest() {
        application.handle = [this](const http::Request& request, http::RequestContext&) -> http::Response {
            if (request.path() == "/wait") return http::FullResponse{.body = "waited"};
            return stream();
        };
    }

    http::StreamingResponse stream() {
        return {.headers = {{"Content-Type", "text/plain"}},
                .length = length,
                .body = std::make_unique<LambdaSource>(produce, live_streams),
                .blocking = blocking,
                .heartbeat = heartbeat};
    }
    // Makes the body stream return one text per call, the last one with status `last`.
    void set_chunks(std::vector<std::string> texts, http::ReadStatus last = http::ReadStatus::eof) {
        produce = [texts, last, next = std::size_t(0)](std::string& to, const http::ReadRequest&) mutable {
            to += texts[next++];
            return next == texts.size() ? last : http::ReadStatus::ready;
        };
    }
    std::uint64_t count(const char* name) { return registry.counter(name, "").value(); }
    std::int64_t gauge(const char* name) { return registry.gauge(name, "").value(); }

    // Polls for a condition without an event of its own, for at most ten seconds.
    template <class Condition>
    static bool eventually(Condition condition) {
        auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!condition() && std::chrono::steady_clock::now() < until)
            std::this_thread::yield();
        return condition();
    }

    LambdaSource::Produce produce;
    std::atomic<int> live_streams{0};
    std::optional<std::uint64_t> length;
    bool blocking = false;
    std::string heartbeat;
};

}  // namespace integreat::net
