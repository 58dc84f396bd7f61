// SPDX-License-Identifier: Apache-2.0
// The platform's settings, as integreat.yaml says them. Each struct is declared together with its fields
// function (style R24): parser, unknown-key refusal, `integreat config schema` and docs/configuration.md
// are visitors of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"
#include "config/validators/validators.h"
#include "json/binding/fields.h"

namespace integreat::config {

using json::in_ms;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::chrono_literals;

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

template <class Visitor>
void fields(Visitor& visit, ListenSettings& listen) {
    visit("address", listen.address, "Address to listen on; 0.0.0.0 or :: for every one.",
          {.check = check_address});
    visit("port", listen.port, "TCP port; 0 picks a free one.", {.least = 0, .most = 65'535});
    visit("threads", listen.threads, "I/O threads, each with its own listener; 0 is one per core.",
          {.least = 0, .most = 256});
    visit("connections_max", listen.connections_max, "Connections beyond this are refused, not queued.",
          {.least = 1, .most = 1'000'000});
    visit("connections_per_client_max", listen.connections_per_client_max,
          "Connections of one client address beyond this are refused.", {.least = 1, .most = 1'000'000});
    visit("backlog", listen.backlog, "Connections the kernel keeps until they are accepted.",
          {.least = 1, .most = 65'535});
    visit("tls_certificate_file", listen.tls_certificate_file,
          "Certificate chain in PEM, leaf first; without it the gateway speaks plain HTTP.");
    visit("tls_key_file", listen.tls_key_file, "The certificate's private key in PEM.");
    visit("trusted_proxies", listen.trusted_proxies,
          "Addresses and networks whose X-Forwarded-For is believed: your load balancer.",
          {.may_be_empty = true, .check = check_network});
}

struct HttpLimits {
    std::size_t header_bytes_max = 16 * 1024;
    int header_count_max = 100;
    std::size_t target_bytes_max = 8 * 1024;
    std::size_t body_bytes_max = 10 * 1024 * 1024;  // No route may allow more.
    milliseconds header_timeout{10'000};  // From the first byte (or the connection) to the head's end.
    milliseconds body_timeout{30'000};    // Between two reads of a body.
    milliseconds idle_timeout{75'000};    // Of a kept-alive connection between requests.
    milliseconds write_timeout{30'000};   // Without progress.
    milliseconds drain_timeout{10'000};   // After SIGTERM.
    int requests_per_connection_max = 100'000;
};

template <class Visitor>
void fields(Visitor& visit, HttpLimits& http) {
    visit("header_bytes_max", http.header_bytes_max, "Of the head of a request; beyond it 431.",
          {.least = 1'024, .most = 1'048'576, .bytes = true});
    visit("header_count_max", http.header_count_max, "Header fields of a request; beyond it 431.",
          {.least = 10, .most = 1'000});
    visit("target_bytes_max", http.target_bytes_max, "Of path and query together; beyond it 414.",
          {.least = 256, .most = 65'536, .bytes = true});
    visit("body_bytes_max", http.body_bytes_max, "No route may allow a larger body.",
          {.least = 1'024, .most = 1'073'741'824, .bytes = true});
    visit("header_timeout", http.header_timeout, "For the whole head of a request to arrive.",
          {.least = in_ms(100ms), .most = in_ms(5min)});
    visit("body_timeout", http.body_timeout, "Between two pieces of a body.",
          {.least = in_ms(100ms), .most = in_ms(1h)});
    visit("idle_timeout", http.idle_timeout, "Of a connection without a request.",
          {.least = in_ms(100ms), .most = in_ms(1h)});
    visit("write_timeout", http.write_timeout, "For a client to take the next piece of an answer.",
          {.least = in_ms(100ms), .most = in_ms(1h)});
    visit("drain_timeout", http.drain_timeout, "For requests in flight to finish once the process must stop.",
          {.least = 0, .most = in_ms(1h)});
    visit("requests_per_connection_max", http.requests_per_connection_max,
          "After so many a connection is closed, so that clients spread anew.", {.least = 1});
}

struct WaitingPoolSettings {
    int threads = 16;
    int queue_max = 256;  // Beyond: 503 with Retry-After.
};

template <class Visitor>
void fields(Visitor& visit, WaitingPoolSettings& waiting) {
    visit("threads", waiting.threads, "Requests that may wait for a database or a third party at once.",
          {.least = 1, .most = 1'000});
    visit("queue_max", waiting.queue_max,
          "Requests waiting for such a thread; beyond it 503 with Retry-After.",
          {.least = 0, .most = 100'000});
}

struct DatabaseSettings {
    Secret url;         // "env:DATABASE_URL" or a postgresql:// URL; set by `integreat dev` itself.
    Secret url_direct;  // Not through a pooler: migrations, LISTEN.
    int connections_max = 16;
    milliseconds connect_timeout{10'000};
    milliseconds acquire_timeout{2'000};
    milliseconds statement_timeout{10'000};
};

template <class Visitor>
void fields(Visitor& visit, DatabaseSettings& database) {
    visit(
        "url", database.url,
        "Where Postgres is, as env:NAME of a postgresql:// URL. `integreat dev` runs its own and sets this.",
        {.check = check_database_url, .reference = true});
    visit("url_direct", database.url_direct,
          "The same without a pooler in between, for migrations; without it `url` is used.",
          {.check = check_database_url, .reference = true});
    visit("connections_max", database.connections_max, "Open connections per database.",
          {.least = 1, .most = 1'000});
    visit("connect_timeout", database.connect_timeout,
          "For a connection to open; a sleeping Neon takes seconds.",
          {.least = in_ms(100ms), .most = in_ms(2min)});
    visit("acquire_timeout", database.acquire_timeout, "For a connection to be free; beyond it 503.",
          {.least = in_ms(10ms), .most = in_ms(1min)});
    visit("statement_timeout", database.statement_timeout, "For one statement.",
          {.least = in_ms(10ms), .most = in_ms(10min)});
}

struct IdentitySettings {
    // Where securetoken@system.gserviceaccount.com publishes its keys (X.509 map or JWKS).
    std::string firebase_keys_url =
        "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";
    std::string operators_project = "integreat-core";  // Firebase project of the console's operators.
    seconds clock_skew{30};
    std::size_t token_bytes_max = 8 * 1024;
    std::size_t token_cache_max = 10'000;
};

template <class Visitor>
void fields(Visitor& visit, IdentitySettings& identity) {
    visit("firebase_keys_url", identity.firebase_keys_url,
          "Where the keys that sign Firebase ID tokens are published (X.509 map or JWKS).",
          {.check = check_trusted_url, .reference = true});
    visit("operators_project", identity.operators_project,
          "Firebase project of the people who operate the platform.",
          {.check = check_project, .pattern = project_pattern});
    visit("clock_skew", identity.clock_skew, "By how much the times of a token may be off.",
          {.least = 0, .most = in_ms(5min)});
    visit("token_bytes_max", identity.token_bytes_max, "Longer tokens are refused unread.",
          {.least = 1'024, .most = 65'536, .bytes = true});
    visit("token_cache_max", identity.token_cache_max, "Verified tokens that are remembered.",
          {.least = 0, .most = 10'000'000});
}

struct LogSettings {
    std::string format = "text";  // Of the process's own log: text | json.
    std::string level = "info";
    std::string access_log = "";                 // A file, "-" for standard output, empty for none.
    std::size_t transaction_queue_max = 50'000;  // Rows waiting for the database; beyond: counted, dropped.
    int transaction_retention_days = 30;
    int decisions_max = 10'000;  // Kept for `integreat why`.
};

template <class Visitor>
void fields(Visitor& visit, LogSettings& log) {
    visit("format", log.format, "Of the process's own log.", {.choices = {"text", "json"}});
    visit("level", log.level, "The least grave events that are written.",
          {.choices = {"debug", "info", "warning", "error"}});
    visit("access_log", log.access_log,
          "One JSON line per request to this file, or to standard output for \"-\"; none without it.");
    visit("transaction_queue_max", log.transaction_queue_max,
          "Rows of the transaction log waiting for the database; beyond it they are counted and dropped.",
          {.least = 100, .most = 10'000'000});
    visit("transaction_retention_days", log.transaction_retention_days,
          "Days that the transaction log is kept.", {.least = 1, .most = 3'650});
    visit("decisions_max", log.decisions_max, "Refusals kept for `integreat why`.",
          {.least = 10, .most = 1'000'000});
}

struct ImportSettings {
    std::size_t bytes_max = 100 * 1024 * 1024;
    std::size_t records_max = 200'000;
    milliseconds timeout{300'000};
    int at_once = 2;
    int coming_at_once = 8;
    std::string folder = "/var/tmp";
};

template <class Visitor>
void fields(Visitor& visit, ImportSettings& imports) {
    visit("bytes_max", imports.bytes_max, "Of one import; http.body_bytes_max does not hold for these.",
          {.least = 1'024, .most = 1'073'741'824, .bytes = true});
    visit("records_max", imports.records_max, "Of one import.", {.least = 1, .most = 10'000'000});
    visit("timeout", imports.timeout,
          "For one import to be checked and stored, once it is there, and for its bytes to come.",
          {.least = in_ms(1s), .most = in_ms(1h)});
    visit("at_once", imports.at_once, "Imports of one app at a time; beyond it 429.",
          {.least = 1, .most = 1'000});
    visit(
        "coming_at_once", imports.coming_at_once,
        "Imports of one app that lie in the folder at a time, those on their way among them; beyond it 429.",
        {.least = 1, .most = 10'000});
    visit("folder", imports.folder,
          "Where an import lies until it is stored, in a file without a name: on a disk, not in memory.");
}

struct Settings {
    ListenSettings listen;
    HttpLimits http;
    WaitingPoolSettings waiting;
    DatabaseSettings database;
    IdentitySettings identity;
    LogSettings log;
    ImportSettings imports;
    std::string apps_dir = "apps";
};

template <class Visitor>
void fields(Visitor& visit, Settings& settings) {
    visit("listen", settings.listen, "Where the gateway listens.");
    visit("http", settings.http, "What a client may cost.");
    visit("waiting", settings.waiting, "The pool for requests that wait.");
    visit("database", settings.database, "The platform's Postgres.");
    visit("identity", settings.identity, "Whose tokens are believed.");
    visit("log", settings.log, "What is written down.");
    visit("imports", settings.imports, "What an import of comma-separated values may cost.");
    visit("apps_dir", settings.apps_dir,
          "Folder of the app manifests, beside this file unless it begins with a slash.");
}

}  // namespace integreat::config
