// SPDX-License-Identifier: Apache-2.0
// The settings of a server. net/ does not depend on config/; the command line copies the values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "http/message/message.h"
#include "http/message/problem_catalogue.h"

namespace integreat::net {

struct ServerSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;                              // 0: a free port, see Server::port.
    http::Exposure exposure = http::Exposure::everyone;  // Passed to the application with each request.
    int threads = 0;                                     // Number of I/O threads; 0: one per core.
    int backlog = 1'024;
    int max_connections = 10'000;
    int max_connections_per_client = 1'000;  // Per IPv4 address or IPv6 /64; trusted proxies are exempt.
    int max_requests_per_connection = 100'000;
    std::vector<std::string> trusted_proxies;  // Addresses or networks whose X-Forwarded-For is trusted.

    std::string tls_certificate_file;  // PEM chain; empty: plain HTTP.
    std::string tls_key_file;

    std::size_t max_header_bytes = 16 * 1024;
    int max_header_count = 100;
    std::size_t max_target_bytes = 8 * 1024;
    std::size_t max_body_bytes = 10 * 1024 * 1024;             // Overrides higher limits of the application.
    std::size_t body_bytes_in_flight_max = 256 * 1024 * 1024;  // Sum of all requests; above it: 503.

    // Sum of the responses that clients have not read yet; above it the slowest readers are disconnected.
    std::size_t max_response_bytes_in_flight = 256 * 1024 * 1024;
    std::uint64_t min_body_bytes_per_second = 1'024;      // Rate of a request body; 0: none.
    std::uint64_t min_response_bytes_per_second = 4'096;  // Rate of a reader; 0: no minimum.

    std::chrono::milliseconds header_timeout{10'000};  // From the first byte or the connection; also for TLS.
    std::chrono::milliseconds body_timeout{30'000};    // Between two reads of a body.
    std::chrono::milliseconds idle_timeout{75'000};    // Between two requests.
    std::chrono::milliseconds write_timeout{30'000};   // Time without progress.
    std::chrono::milliseconds heartbeat_interval{15'000};  // Between two chunks of an endless stream.
    std::chrono::milliseconds drain_timeout{10'000};
    std::chrono::milliseconds sweep_tick{100};  // Precision of the timeouts.

    int blocking_threads = 16;
    int max_blocking_queue_length = 256;  // Queued requests; above it: 503.

    std::string problem_base_url{http::default_problem_base_url};  // Base of the `type` URI of refusals.
};

}  // namespace integreat::net
