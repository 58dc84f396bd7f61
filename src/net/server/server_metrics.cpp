// SPDX-License-Identifier: Apache-2.0
#include "net/server/server_metrics.h"

namespace integreat::net {

namespace {

metrics::Counter& connections_refused(metrics::Registry& registry, const char* reason) {
    return registry.counter("integreat_connections_refused_total", "Connections rejected, by limit.",
                            {{"reason", reason}});
}

metrics::Counter& timeouts(metrics::Registry& registry, const char* stage) {
    return registry.counter("integreat_http_timeouts_total", "Connections that took too long, by stage.",
                            {{"stage", stage}});
}

metrics::Counter& bytes(metrics::Registry& registry, const char* direction) {
    return registry.counter("integreat_http_bytes_total", "Bytes of HTTP/1.1 with clients, without TLS.",
                            {{"direction", direction}});
}

}  // namespace

ServerMetrics server_metrics(metrics::Registry& registry) {
    auto counter = [&](const char* name, const char* help) -> metrics::Counter& {
        return registry.counter(name, help);
    };
    ServerMetrics all{
        .connections_open = registry.gauge("integreat_connections_open", "Open client connections."),
        .connections_accepted = counter("integreat_connections_accepted_total", "Connections served."),
        .refused_server_full = connections_refused(registry, "server"),
        .refused_client_full = connections_refused(registry, "client"),
        .handshakes_failed = counter("integreat_tls_handshakes_failed_total", "TLS handshakes that failed."),
        .accepts_failed = counter("integreat_accepts_failed_total",
                                  "Failed accepts, usually for lack of file descriptors."),
        .streams_open = registry.gauge("integreat_streams_open", "Streamed responses in progress."),
        .streams_broken =
            counter("integreat_streams_aborted_total", "Streamed responses that failed before the end."),
        .bytes_in = bytes(registry, "in"),
        .bytes_out = bytes(registry, "out"),
        .timeouts_handshake = timeouts(registry, "handshake"),
        .timeouts_header = timeouts(registry, "header"),
        .timeouts_body = timeouts(registry, "body"),
        .timeouts_idle = timeouts(registry, "idle"),
        .timeouts_write = timeouts(registry, "write"),
        .bodies_refused = counter("integreat_http_bodies_refused_total",
                                  "Bodies rejected because too many bytes were in memory."),
        .response_bytes_in_flight = registry.gauge("integreat_http_response_bytes_in_flight",
                                                   "Bytes of responses that clients have not read yet."),
        .responses_shed =
            counter("integreat_http_responses_shed_total",
                    "Slow readers disconnected because too many bytes of responses were in memory."),
        .fields_dropped = counter("integreat_http_headers_dropped_total",
                                  "Response fields dropped because of CR, LF or NUL."),
    };
    for (std::size_t part = 0; part < all.malformed.size(); ++part) {
        all.malformed[part] =
            &registry.counter("integreat_http_malformed_total", "Rejected request heads, by part.",
                              {{"part", std::string(to_string(static_cast<HeadPart>(part)))}});
    }
    return all;
}

}  // namespace integreat::net
