// SPDX-License-Identifier: Apache-2.0
// The metrics of a server, looked up in the registry once.
#pragma once

#include <array>

#include "metrics/registry.h"
#include "net/http1/request_parser.h"

namespace integreat::net {

struct ServerMetrics {
    metrics::Gauge& connections_open;
    metrics::Counter& connections_accepted;
    metrics::Counter& refused_server_full;
    metrics::Counter& refused_client_full;
    metrics::Counter& handshakes_failed;
    metrics::Counter& accepts_failed;
    metrics::Gauge& streams_open;
    metrics::Counter& streams_broken;
    metrics::Counter& bytes_in;
    metrics::Counter& bytes_out;
    metrics::Counter& timeouts_handshake;
    metrics::Counter& timeouts_header;
    metrics::Counter& timeouts_body;
    metrics::Counter& timeouts_idle;
    metrics::Counter& timeouts_write;
    metrics::Counter& bodies_refused;  // Bodies rejected because of body_bytes_in_flight_max.
    metrics::Gauge& response_bytes_in_flight;
    metrics::Counter& responses_shed;  // Slow readers disconnected because of max_response_bytes_in_flight.
    metrics::Counter& fields_dropped;  // Response fields that contain CR, LF or NUL.
    std::array<metrics::Counter*, head_part_count> malformed{};  // Indexed by HeadPart.
};

ServerMetrics server_metrics(metrics::Registry& registry);

}  // namespace integreat::net
