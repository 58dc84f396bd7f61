// SPDX-License-Identifier: Apache-2.0
// For tests: an application that answers every request with a stream whose source is a lambda, and knows how
// many of its sources still live.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "net/testing/test_server.h"

namespace integreat::net {

class LambdaSource final : public http::BodySource {
public:
    using Produce = std::function<http::Pace(std::string&, const http::Demand&)>;
    LambdaSource(Produce produce, std::atomic<int>& alive) : produce_(std::move(produce)), alive_(alive) {
        ++alive_;
    }
    ~LambdaSource() override { --alive_; }

    http::Pace produce(std::string& to, const http::Demand& demand) override { return produce_(to, demand); }

private:
    Produce produce_;
    std::atomic<int>& alive_;
};

class StreamTest : public ServerTest {
protected:
    static constexpr std::string_view get = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";

    StreamTest() {
        application.answer = [this](const http::Request& request, http::Call&) -> http::Response {
            if (request.path() == "/wait") return http::Reply{.body = "waited"};
            return stream();
        };
    }

    http::Stream stream() {
        return {.headers = {{"Content-Type", "text/plain"}},
                .length = length,
                .body = std::make_unique<LambdaSource>(produce, alive),
                .waits = waits,
                .heartbeat = heartbeat};
    }
    // One text per call, the last with `last`.
    void say(std::vector<std::string> texts, http::Pace last = http::Pace::end) {
        produce = [texts, last, next = std::size_t(0)](std::string& to, const http::Demand&) mutable {
            to += texts[next++];
            return next == texts.size() ? last : http::Pace::more;
        };
    }
    std::uint64_t count(const char* name) { return registry.counter(name, "").value(); }
    std::int64_t gauge(const char* name) { return registry.gauge(name, "").value(); }

    // Tests wait for what has no event of its own; a lost wake fails them by their time limit.
    template <class Condition>
    static bool eventually(Condition condition) {
        auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!condition() && std::chrono::steady_clock::now() < until)
            std::this_thread::yield();
        return condition();
    }

    LambdaSource::Produce produce;
    std::atomic<int> alive{0};
    std::optional<std::uint64_t> length;
    bool waits = false;
    std::string heartbeat;
};

}  // namespace integreat::net
