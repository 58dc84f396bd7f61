// SPDX-License-Identifier: Apache-2.0
// The server without a platform behind it: every request is answered at once with the same few bytes. What
// remains is what net/ costs. Prints its port, serves until standard input ends.
//
//     net_bare THREADS
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

http::Reply hello() {
    return {.headers = {{"Content-Type", "text/plain"}}, .body = "Hello, world!\n"};
}

}  // namespace

int main(int count, char** arguments) {
    http::Application application{
        .admit = [](const http::Request&, http::Call&) { return http::Admission(hello()); },
        .answer = [](const http::Request&, http::Call&) { return http::Response(hello()); },
        .reject = [](const http::Request&, http::Call&,
                     const http::Problem& problem) { return http::to_reply(problem, ""); },
        .finish = [](const http::Request&, const http::Call&, const http::Outcome&) {},
    };
    metrics::Registry registry;
    SystemClock clock;
    net::Upstreams upstreams;
    auto server = net::Server::start({.threads = count > 1 ? std::atoi(arguments[1]) : 1}, application,
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
