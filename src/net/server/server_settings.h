// SPDX-License-Identifier: Apache-2.0
// What a server may be told. net/ knows nothing of integreat.yaml; platform/ copies the values over.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace integreat::net {

struct ServerSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: a free one, see Server::port.
    int threads = 0;         // 0: one per core.
    int backlog = 1'024;
    int connections_max = 10'000;
    int connections_per_client_max = 1'000;  // Per IPv4 address or IPv6 /64; trusted proxies are exempt.
    int requests_per_connection_max = 100'000;
    std::vector<std::string> trusted_proxies;  // Addresses or networks whose X-Forwarded-For is believed.

    std::string tls_certificate_file;  // PEM chain; empty: plain HTTP.
    std::string tls_key_file;

    std::size_t header_bytes_max = 16 * 1024;
    int header_count_max = 100;
    std::size_t target_bytes_max = 8 * 1024;
    std::size_t body_bytes_max = 10 * 1024 * 1024;             // Whatever the application allows.
    std::size_t body_bytes_in_flight_max = 256 * 1024 * 1024;  // Of all requests together; beyond: 503.

    std::chrono::milliseconds header_timeout{10'000};  // From the first byte, or the connection; also of TLS.
    std::chrono::milliseconds body_timeout{30'000};    // Between two reads of a body.
    std::chrono::milliseconds idle_timeout{75'000};    // Between two requests.
    std::chrono::milliseconds write_timeout{30'000};   // Without progress.
    std::chrono::milliseconds heartbeat_interval{15'000};  // Between two pieces of an endless stream.
    std::chrono::milliseconds drain_timeout{10'000};
    std::chrono::milliseconds sweep_tick{100};  // How late a timeout may come.

    int waiting_threads = 16;
    int waiting_queue_max = 256;  // Beyond: 503.
};

}  // namespace integreat::net
