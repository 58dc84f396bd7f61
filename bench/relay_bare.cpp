// SPDX-License-Identifier: Apache-2.0
// The server and a relay without a platform between them: every request goes on to one upstream. What remains
// is what net/ costs, to be held against HAProxy's plain relay. Prints its port, serves until standard input
// ends.
//
//     relay_bare UPSTREAM_PORT [THREADS]
#include <cstdio>
#include <cstdlib>

#include "net/server.h"
#include "net/upstreams.h"

namespace {

using namespace integreat;

class SystemClock final : public Clock {
public:
    Time now() const override {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    Monotonic monotonic() const override { return std::chrono::steady_clock::now(); }
};

std::shared_ptr<const http::Upstream> upstream_at(int port) {
    http::Upstream upstream;
    upstream.name = "bare";
    upstream.key = "bare http://127.0.0.1:" + std::to_string(port);
    upstream.host = "127.0.0.1";
    upstream.port = static_cast<std::uint16_t>(port);
    return std::make_shared<const http::Upstream>(upstream);
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) {
        std::fprintf(stderr, "usage: relay_bare UPSTREAM_PORT [THREADS]\n");
        return 2;
    }
    auto upstream = upstream_at(std::atoi(arguments[1]));
    auto relay = [&](const http::Request& request) {
        return http::Relay{.upstream = upstream,
                           .target = request.target,
                           .headers = request.headers,
                           .body_bytes_max = 1024 * 1024};
    };
    http::Application application{
        .admit = [&](const http::Request& request, http::Call&) { return http::Admission(relay(request)); },
        .answer = [&](const http::Request& request, http::Call&) { return http::Response(relay(request)); },
        .reject = [](const http::Request&, http::Call&,
                     const http::Problem& problem) { return http::to_reply(problem, ""); },
        .finish = [](const http::Request&, const http::Call&, const http::Outcome&) {},
    };
    metrics::Registry registry;
    SystemClock clock;
    net::Upstreams upstreams;
    auto server = net::Server::start({.threads = count > 2 ? std::atoi(arguments[2]) : 1}, application,
                                     upstreams, registry, clock);
    if (!server) {
        std::fprintf(stderr, "%s\n", server.error().message.c_str());
        return 1;
    }
    std::printf("%d\n", (*server)->port());
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    return 0;
}
