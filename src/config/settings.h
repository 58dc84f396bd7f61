// SPDX-License-Identifier: Apache-2.0
// The platform's settings, as integreat.yaml says them. Each struct is declared together with its fields
// function (style R24): parser, unknown-key refusal, `integreat config schema` and docs/configuration.md
// are visitors of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace integreat::config {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct ListenSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    int threads = 0;  // 0: one per core.
    int connections_max = 10'000;
    int connections_per_client_max = 1'000;
    int backlog = 1'024;
    std::string tls_certificate_file;  // PEM chain; empty: plain HTTP.
    std::string tls_key_file;
    std::vector<std::string> trusted_proxies;  // Addresses whose X-Forwarded-For is believed.
};

struct HttpLimits {
    std::size_t header_bytes_max = 16 * 1024;
    int header_count_max = 100;
    std::size_t target_bytes_max = 8 * 1024;
    std::size_t body_bytes_max = 10 * 1024 * 1024;  // No route may allow more.
    milliseconds header_timeout{10'000};            // From the first byte (or the connection) to the head's end.
    milliseconds body_timeout{30'000};              // Between two reads of a body.
    milliseconds idle_timeout{75'000};              // Of a kept-alive connection between requests.
    milliseconds write_timeout{30'000};             // Without progress.
    milliseconds drain_timeout{10'000};             // After SIGTERM.
    int requests_per_connection_max = 100'000;
};

struct WaitingPoolSettings {
    int threads = 16;
    int queue_max = 256;  // Beyond: 503 with Retry-After.
};

struct DatabaseSettings {
    std::string url;         // "env:DATABASE_URL" or a postgresql:// URL; set by `integreat dev` itself.
    std::string url_direct;  // Not through a pooler: migrations, LISTEN.
    int connections_max = 16;
    milliseconds connect_timeout{10'000};
    milliseconds acquire_timeout{2'000};
    milliseconds statement_timeout{10'000};
};

struct IdentitySettings {
    // Where securetoken@system.gserviceaccount.com publishes its keys (X.509 map or JWKS).
    std::string firebase_keys_url =
        "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";
    std::string operators_project = "integreat-core";  // Firebase project of the console's operators.
    seconds clock_skew{30};
    std::size_t token_bytes_max = 8 * 1024;
    std::size_t token_cache_max = 10'000;
};

struct LogSettings {
    std::string format = "text";      // Of the process's own log: text | json.
    std::string level = "info";
    std::string access_log = "";      // A file, "-" for standard output, empty for none.
    std::size_t transaction_queue_max = 50'000;  // Rows waiting for the database; beyond: counted, dropped.
    int transaction_retention_days = 30;
    int decisions_max = 10'000;       // Kept for `integreat why`.
};

struct Settings {
    ListenSettings listen;
    HttpLimits http;
    WaitingPoolSettings waiting;
    DatabaseSettings database;
    IdentitySettings identity;
    LogSettings log;
    std::string apps_dir = "apps";
};

}  // namespace integreat::config
