// SPDX-License-Identifier: Apache-2.0
// The server without a platform behind it: every request is answered at once with the same few bytes or,
// given the port of an upstream on this machine, relayed there. What remains is what net/ costs, to be held
// against nginx's static reply and HAProxy's plain relay. Prints its port, serves until standard input ends.
//
//     net_bare THREADS [UPSTREAM_PORT]
#include <cstdio>
#include <cstdlib>

#include "net/server/server.h"
#include "net/proxy/upstream_pool.h"
#include "base/system_clock.h"

namespace {

using namespace integreat;
using Upstream = std::shared_ptr<const http::Upstream>;

Upstream upstream_at(int port) {
    http::Upstream upstream;
    upstream.name = "bare";
    upstream.key = "bare http://127.0.0.1:" + std::to_string(port);
    upstream.host = "127.0.0.1";
    upstream.port = static_cast<std::uint16_t>(port);
    return std::make_shared<const http::Upstream>(upstream);
}

http::Admission admit(const http::Request& request, const Upstream& upstream) {
    if (!upstream) return http::Reply{.headers = {{"Content-Type", "text/plain"}}, .body = "Hello, world!\n"};
    return http::Relay{.upstream = upstream,
                       .target = request.target,
                       .headers = request.headers,
                       .body_bytes_max = 1024 * 1024};
}

}  // namespace

int main(int count, char** arguments) {
    int threads = count > 1 ? std::atoi(arguments[1]) : 1;
    Upstream upstream = count > 2 ? upstream_at(std::atoi(arguments[2])) : nullptr;
    http::Application application{
        .admit = [&](const http::Request& request, http::Call&) { return admit(request, upstream); },
        .answer = [](const http::Request&, http::Call&) { return http::Response(http::Reply()); },
        .reject = [](const http::Request&, http::Call&,
                     const http::Problem& problem) { return http::to_reply(problem, ""); },
        .finish = [](const http::Request&, const http::Call&, const http::Outcome&) {},
    };
    metrics::Registry registry;
    SystemClock clock;
    net::Upstreams upstreams;
    auto server = net::Server::start({.threads = threads}, application, upstreams, registry, clock);
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
