// SPDX-License-Identifier: Apache-2.0
// A server without a platform: every request is answered with the same few bytes or, if the port of an
// upstream on this machine is given, proxied to it. Measures the cost of net/ alone, for comparison with a
// static response of nginx and with HAProxy. Prints its port and serves until standard input ends.
//
//     net_bare THREADS [UPSTREAM_PORT]
#include <cstdio>
#include <cstdlib>

#include "base/system_clock.h"
#include "net/proxy/upstream_pool.h"
#include "net/server/server.h"

namespace {

using namespace integreat;
using Upstream = std::shared_ptr<const http::Upstream>;

Upstream make_upstream(int port) {
    http::Upstream upstream;
    upstream.name = "bare";
    upstream.key = "bare http://127.0.0.1:" + std::to_string(port);
    upstream.host = "127.0.0.1";
    upstream.port = static_cast<std::uint16_t>(port);
    return std::make_shared<const http::Upstream>(upstream);
}

http::Admission admit(const http::Request& request, const Upstream& upstream) {
    if (!upstream)
        return http::FullResponse{.headers = {{"Content-Type", "text/plain"}}, .body = "Hello, world!\n"};
    return http::ProxyRequest{.upstream = upstream,
                              .target = request.target,
                              .headers = request.headers,
                              .max_body_bytes = 1024 * 1024};
}

}  // namespace

int main(int count, char** arguments) {
    int threads = count > 1 ? std::atoi(arguments[1]) : 1;
    Upstream upstream = count > 2 ? make_upstream(std::atoi(arguments[2])) : nullptr;
    http::Application application{
        .admit = [&](const http::Request& request,
                     http::RequestContext&) { return admit(request, upstream); },
        .handle = [](const http::Request&,
                     http::RequestContext&) { return http::Response(http::FullResponse()); },
        .reject = [](const http::Request&, http::RequestContext&,
                     const http::Problem& problem) { return http::to_response(problem, ""); },
        .finish = [](const http::Request&, const http::RequestContext&, const http::RequestSummary&) {},
    };
    metrics::Registry registry;
    SystemClock clock;
    net::UpstreamRegistry upstreams;
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
