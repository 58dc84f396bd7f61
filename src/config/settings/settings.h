// SPDX-License-Identifier: Apache-2.0
// The platform's settings in integreat.yaml. Each struct is declared together with its fields function (style
// R24): the reader, the check for unknown keys, `integreat config schema` and docs/reference/configuration.md
// are visitors of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"
#include "config/validators/validators.h"
#include "http/message/problem_catalogue.h"
#include "json/binding/fields.h"

namespace integreat::config {

using json::to_ms;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::chrono_literals;

struct ListenSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    int threads = 0;  // I/O threads; 0: one per core.
    int max_connections = 10'000;
    int max_connections_per_client = 1'000;
    int backlog = 1'024;
    std::string tls_certificate_file;  // PEM chain; empty: plain HTTP.
    std::string tls_key_file;
    std::vector<std::string> trusted_proxies;  // Addresses whose X-Forwarded-For is trusted.
};

template <class Visitor>
void fields(Visitor& visit, ListenSettings& listen) {
    visit("address", listen.address, "Address to listen on; 0.0.0.0 or :: for all addresses.",
          {.check = check_address});
    visit("port", listen.port, "TCP port; 0 picks a free one.", {.minimum = 0, .maximum = 65'535});
    visit("threads", listen.threads, "I/O threads, each with its own listener; 0: one per core.",
          {.minimum = 0, .maximum = 256});
    visit("max_connections", listen.max_connections,
          "Maximum number of connections; more are refused, not queued.",
          {.minimum = 1, .maximum = 1'000'000});
    visit("max_connections_per_client", listen.max_connections_per_client,
          "Maximum number of connections per client address; more are refused.",
          {.minimum = 1, .maximum = 1'000'000});
    visit("backlog", listen.backlog, "Connections that the kernel queues until they are accepted.",
          {.minimum = 1, .maximum = 65'535});
    visit("tls_certificate_file", listen.tls_certificate_file,
          "Certificate chain in PEM, leaf first. Default: plain HTTP.");
    visit("tls_key_file", listen.tls_key_file, "Private key of the certificate, in PEM.");
    visit("trusted_proxies", listen.trusted_proxies,
          "Addresses and networks whose X-Forwarded-For is trusted: your load balancer.",
          {.may_be_empty = true, .check = check_network});
}

// Listener for the routes that the public listener does not serve.
struct OperatorsSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: no such listener.
};

template <class Visitor>
void fields(Visitor& visit, OperatorsSettings& operators) {
    visit("address", operators.address, "Address to listen on: one that only operators and monitoring reach.",
          {.check = check_address});
    visit("port", operators.port, "TCP port. Default: 0, these routes are not served.",
          {.minimum = 0, .maximum = 65'535});
}

struct HttpSettings {
    std::size_t max_header_bytes = 16 * 1024;
    int max_header_count = 100;
    std::size_t max_target_bytes = 8 * 1024;
    std::size_t max_body_bytes = 10 * 1024 * 1024;  // Upper limit for all routes.
    milliseconds header_timeout{10'000};  // From the first byte (or the connection) to the end of the head.
    milliseconds body_timeout{30'000};    // Between two reads of a body.
    milliseconds idle_timeout{75'000};    // Between two requests of a connection.
    milliseconds write_timeout{30'000};   // Time without progress.
    milliseconds drain_timeout{10'000};   // Time after SIGTERM.
    std::size_t max_response_bytes_in_flight = 256 * 1024 * 1024;
    std::size_t min_body_bytes_per_second = 1'024;
    std::size_t min_response_bytes_per_second = 4'096;
    std::uint32_t unrouted_requests = 600;  // Per minute and address.
    int max_requests_per_connection = 100'000;
    std::string problem_base_url{http::default_problem_base_url};
};

template <class Visitor>
void fields(Visitor& visit, HttpSettings& http) {
    visit("max_header_bytes", http.max_header_bytes,
          "Maximum size of the head of a request; a larger one gets 431.",
          {.minimum = 1'024, .maximum = 1'048'576, .bytes = true});
    visit("max_header_count", http.max_header_count,
          "Maximum number of header fields of a request; more get 431.", {.minimum = 10, .maximum = 1'000});
    visit("max_target_bytes", http.max_target_bytes,
          "Maximum length of path and query together; a longer target gets 414.",
          {.minimum = 256, .maximum = 65'536, .bytes = true});
    visit("max_body_bytes", http.max_body_bytes, "Maximum size of a request body, for all routes.",
          {.minimum = 1'024, .maximum = 1'073'741'824, .bytes = true});
    visit("header_timeout", http.header_timeout, "Timeout for receiving the head of a request.",
          {.minimum = to_ms(100ms), .maximum = to_ms(5min)});
    visit("body_timeout", http.body_timeout, "Timeout between two reads of a request body.",
          {.minimum = to_ms(100ms), .maximum = to_ms(1h)});
    visit("idle_timeout", http.idle_timeout, "Timeout of a connection without a request.",
          {.minimum = to_ms(100ms), .maximum = to_ms(1h)});
    visit("write_timeout", http.write_timeout, "Timeout for sending the next part of a response.",
          {.minimum = to_ms(100ms), .maximum = to_ms(1h)});
    visit("drain_timeout", http.drain_timeout,
          "Time for requests in flight to finish before the process stops.",
          {.minimum = 0, .maximum = to_ms(1h)});
    visit("max_response_bytes_in_flight", http.max_response_bytes_in_flight,
          "Maximum size of all responses that clients have not read yet, three quarters of it of one app and "
          "a quarter of one caller. Above it the slowest readers are disconnected. Documents shared by all "
          "callers do not count.",
          {.minimum = 1'048'576, .maximum = 68'719'476'736, .bytes = true});
    visit(
        "min_body_bytes_per_second", http.min_body_bytes_per_second,
        "Minimum average rate of a request body, also of an import, once it has kept the server waiting for "
        "`body_timeout`; a slower one gets 408. 0: none.",
        {.minimum = 0, .maximum = 1'048'576, .bytes = true});
    visit("min_response_bytes_per_second", http.min_response_bytes_per_second,
          "Minimum average rate of a client that reads a response, once it has kept the server waiting for "
          "`write_timeout`; a slower one is disconnected. 0: none.",
          {.minimum = 0, .maximum = 1'048'576, .bytes = true});
    visit("unrouted_requests", http.unrouted_requests,
          "Requests per minute and address without a route or without credentials where some are needed; a "
          "quarter of them may come in a burst, more get 429. 0: no limit.",
          {.minimum = 0, .maximum = 10'000'000});
    visit("max_requests_per_connection", http.max_requests_per_connection,
          "Requests after which a connection is closed, so that load balancing spreads clients again.",
          {.minimum = 1});
    visit(
        "problem_base_url", http.problem_base_url,
        "Base of the `type` URI in error responses; the slug of the problem type follows it. `integreat dev` "
        "uses its own /problems.",
        {.check = check_url});
}

struct BlockingPoolSettings {
    int threads = 16;
    int max_queue_length = 256;  // More requests get 503 with Retry-After.
};

template <class Visitor>
void fields(Visitor& visit, BlockingPoolSettings& pool) {
    visit("threads", pool.threads,
          "Threads for requests that wait for a database or a third party. One app holds at most three "
          "quarters of them, one caller half.",
          {.minimum = 1, .maximum = 1'000});
    visit("max_queue_length", pool.max_queue_length,
          "Maximum number of queued requests, three quarters of them of one app. More get 503 with "
          "Retry-After.",
          {.minimum = 0, .maximum = 100'000});
}

struct DatabaseSettings {
    Secret url;         // "env:DATABASE_URL" or a postgresql:// URL; `integreat dev` sets it.
    Secret direct_url;  // Without a connection pooler: migrations, LISTEN.
    int max_connections = 16;
    milliseconds connect_timeout{10'000};
    milliseconds acquire_timeout{2'000};
    milliseconds statement_timeout{10'000};
};

template <class Visitor>
void fields(Visitor& visit, DatabaseSettings& database) {
    visit("url", database.url,
          "env:NAME of the postgresql:// URL of the database. `integreat dev` runs Postgres itself and sets "
          "this.",
          {.check = check_database_url, .reference = true});
    visit("direct_url", database.direct_url,
          "The same database without a connection pooler, for migrations. Default: `url`.",
          {.check = check_database_url, .reference = true});
    visit("max_connections", database.max_connections, "Maximum number of connections per database.",
          {.minimum = 1, .maximum = 1'000});
    visit("connect_timeout", database.connect_timeout,
          "Timeout for opening a connection; a suspended Neon database needs seconds.",
          {.minimum = to_ms(100ms), .maximum = to_ms(2min)});
    visit("acquire_timeout", database.acquire_timeout,
          "Timeout for a free connection; after it the request gets 503.",
          {.minimum = to_ms(10ms), .maximum = to_ms(1min)});
    visit("statement_timeout", database.statement_timeout, "Timeout of a statement.",
          {.minimum = to_ms(10ms), .maximum = to_ms(10min)});
}

// The operators' project of `integreat dev`, unless the settings name one.
inline constexpr const char* dev_operators_project = "integreat-core";

struct IdentitySettings {
    // URL of the keys of securetoken@system.gserviceaccount.com (X.509 map or JWKS).
    std::string firebase_keys_url =
        "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";
    std::string operators_project;  // Firebase project of the operators; empty: there are none.
    seconds clock_skew{30};
    std::size_t max_token_bytes = 8 * 1024;
    std::size_t max_cached_tokens = 10'000;
};

template <class Visitor>
void fields(Visitor& visit, IdentitySettings& identity) {
    visit("firebase_keys_url", identity.firebase_keys_url,
          "URL of the public keys that verify Firebase ID tokens (X.509 map or JWKS).",
          {.check = check_trusted_url, .reference = true});
    visit("operators_project", identity.operators_project,
          "Firebase project of the platform's operators: yours, since anyone may register another. Default: "
          "no operators; `integreat dev` uses integreat-core.",
          {.check = check_project, .pattern = project_pattern});
    visit("clock_skew", identity.clock_skew, "Tolerance for the times in a token.",
          {.minimum = 0, .maximum = to_ms(5min)});
    visit("max_token_bytes", identity.max_token_bytes,
          "Maximum size of a token; larger ones are refused unparsed.",
          {.minimum = 1'024, .maximum = 65'536, .bytes = true});
    visit("max_cached_tokens", identity.max_cached_tokens, "Maximum number of verified tokens in the cache.",
          {.minimum = 0, .maximum = 10'000'000});
}

struct LogSettings {
    std::string format = "text";  // Format of the process log: text | json.
    std::string level = "info";
    std::string access_log = "";                   // File name, "-" for standard output, empty for none.
    std::size_t max_queued_transactions = 50'000;  // Rows; more are counted and dropped.
    int transaction_retention_days = 30;
    int max_unrouted_rows_per_second = 100;
    int max_decisions = 10'000;  // Denials kept for `integreat why`.
};

template <class Visitor>
void fields(Visitor& visit, LogSettings& log) {
    visit("format", log.format, "Format of the process log.", {.choices = {"text", "json"}});
    visit("level", log.level, "Minimum severity to log.", {.choices = {"debug", "info", "warning", "error"}});
    visit("access_log", log.access_log,
          "File for one JSON line per request, or \"-\" for standard output. Default: none.");
    visit("max_queued_transactions", log.max_queued_transactions,
          "Maximum number of transaction log rows queued for the database, three quarters of them of one "
          "app; more are counted and dropped.",
          {.minimum = 100, .maximum = 10'000'000});
    visit("transaction_retention_days", log.transaction_retention_days,
          "Retention of the transaction log in days.", {.minimum = 1, .maximum = 3'650});
    visit("max_unrouted_rows_per_second", log.max_unrouted_rows_per_second,
          "Maximum number of transaction log rows per second for requests without a route or a sign-in; of "
          "more, one in a hundred is written, the others are counted.",
          {.minimum = 1, .maximum = 1'000'000});
    visit("max_decisions", log.max_decisions, "Number of denied requests kept for `integreat why`.",
          {.minimum = 10, .maximum = 1'000'000});
}

struct ImportSettings {
    std::size_t max_bytes = 100 * 1024 * 1024;
    std::size_t max_records = 200'000;
    milliseconds timeout{300'000};
    int max_concurrent = 2;
    int max_pending = 8;
    int max_pending_per_principal = 2;
    std::string folder = "/var/tmp";
};

template <class Visitor>
void fields(Visitor& visit, ImportSettings& imports) {
    visit("max_bytes", imports.max_bytes,
          "Maximum size of an import; http.max_body_bytes does not apply to imports.",
          {.minimum = 1'024, .maximum = 1'073'741'824, .bytes = true});
    visit("max_records", imports.max_records, "Maximum number of records per import.",
          {.minimum = 1, .maximum = 10'000'000});
    visit("timeout", imports.timeout,
          "Timeout for receiving an import, and again for validating and storing it.",
          {.minimum = to_ms(1s), .maximum = to_ms(1h)});
    visit("max_concurrent", imports.max_concurrent,
          "Maximum number of imports per app that are processed concurrently; more get 429.",
          {.minimum = 1, .maximum = 1'000});
    visit("max_pending", imports.max_pending,
          "Maximum number of imports per app that are being received or processed; more get 429.",
          {.minimum = 1, .maximum = 10'000});
    visit("max_pending_per_principal", imports.max_pending_per_principal,
          "Maximum number of these imports per user or key; more get 429.",
          {.minimum = 1, .maximum = 10'000});
    visit("folder", imports.folder,
          "Directory for the unnamed files of imports until they are stored: on a disk, not in memory.");
}

// Access to the buckets of the tenants, for the files of records.
struct FilesSettings {
    std::string account;  // Twelve digits; empty: files of records cannot be opened.
    std::string region = "us-east-1";
    std::string endpoint;  // Empty: AWS. `integreat dev` sets it to the local cloud.
    Secret access_key_id;  // A user that may assume the roles PROJECT-RecordFilesRole.
    Secret secret_access_key;
    Secret session_token;  // Empty if the access key is permanent.
    seconds link_lifetime{300};
};

template <class Visitor>
void fields(Visitor& visit, FilesSettings& files) {
    visit("account", files.account,
          "AWS account of the buckets and of the roles PROJECT-RecordFilesRole. Default: files of records "
          "cannot "
          "be opened; `integreat dev` uses the local cloud.",
          {.max_length = 12, .reference = true});
    visit("region", files.region, "AWS region of the buckets.", {.max_length = 30, .reference = true});
    visit("endpoint", files.endpoint, "URL of S3 and STS instead of those of AWS.", {.check = check_url});
    visit("access_key_id", files.access_key_id,
          "Access key of a user who may assume these roles: `env:AWS_ACCESS_KEY_ID`.", {.reference = true});
    visit("secret_access_key", files.secret_access_key, "Its secret: `env:AWS_SECRET_ACCESS_KEY`.",
          {.reference = true});
    visit("session_token", files.session_token, "Its session token, if the access key is temporary.",
          {.reference = true});
    visit("link_lifetime", files.link_lifetime, "Time for which a link to a file is valid.",
          {.minimum = to_ms(10s), .maximum = to_ms(30min)});
}

struct Settings {
    ListenSettings listen;
    OperatorsSettings operators;
    HttpSettings http;
    BlockingPoolSettings blocking_pool;
    DatabaseSettings database;
    IdentitySettings identity;
    LogSettings log;
    ImportSettings imports;
    FilesSettings files;
    std::string apps_dir = "apps";
};

template <class Visitor>
void fields(Visitor& visit, Settings& settings) {
    visit("listen", settings.listen, "Listener of the gateway.");
    visit("operators", settings.operators,
          "Second listener of `integreat serve`, for /v1/admin, /metrics, /docs and /openapi.json, which the "
          "public one does not serve.");
    visit("http", settings.http, "Limits per request and connection.");
    visit("blocking_pool", settings.blocking_pool, "Thread pool for requests that block.");
    visit("database", settings.database, "PostgreSQL database of the platform.");
    visit("identity", settings.identity, "Token verification.");
    visit("log", settings.log, "Logging.");
    visit("imports", settings.imports, "Limits for CSV imports.");
    visit("files", settings.files, "Files of records in the buckets of the apps.");
    visit("apps_dir", settings.apps_dir,
          "Directory of the app manifests: an absolute path, or relative to this file.");
}

}  // namespace integreat::config
