// SPDX-License-Identifier: Apache-2.0
#include "config/diagnostics/renamed_keys.h"

#include <array>

namespace integreat::config {

namespace {

constexpr std::array<json::RenamedKey, 25> keys{{
    // integreat.yaml
    {"waiting", "blocking_pool"},
    {"connections_max", "max_connections"},
    {"connections_per_client_max", "max_connections_per_client"},
    {"header_bytes_max", "max_header_bytes"},
    {"header_count_max", "max_header_count"},
    {"target_bytes_max", "max_target_bytes"},
    {"body_bytes_max", "max_body_bytes"},
    {"requests_per_connection_max", "max_requests_per_connection"},
    {"queue_max", "max_queue_length"},
    {"url_direct", "direct_url"},
    {"token_bytes_max", "max_token_bytes"},
    {"token_cache_max", "max_cached_tokens"},
    {"transaction_queue_max", "max_queued_transactions"},
    {"decisions_max", "max_decisions"},
    {"bytes_max", "max_bytes"},
    {"records_max", "max_records"},
    {"at_once", "max_concurrent"},
    {"coming_at_once", "max_pending"},
    // apps/NAME.yaml
    {"retries_max", "max_retries"},
    {"length_min", "min_length"},
    {"length_max", "max_length"},
    {"least", "min"},
    {"most", "max"},
    {"digits", "precision"},
    {"items_max", "max_items"},
}};

}  // namespace

std::span<const json::RenamedKey> renamed_keys() {
    return keys;
}

}  // namespace integreat::config
