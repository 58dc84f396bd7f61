// SPDX-License-Identifier: Apache-2.0
// Logs one row per request to the database of the platform, asynchronously: append() encodes the row into a
// buffer of its thread; a writer thread copies the buffers into the partition of the day. The queue is
// bounded; each row that cannot be stored is counted by lost() and never dropped silently. A batch is one
// transaction. If the connection breaks at its commit, the writer checks whether the batch was committed
// before it sends it again, so that rows are neither duplicated nor missed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "postgres/databases/migrations.h"
#include "postgres/driver/pool.h"

namespace integreat::gateway {

// The migrations of the tables: gateway/logging/migrations/*.sql.
std::span<const postgres::Migration> transaction_log_migrations();

struct LogField {
    std::string_view name;
    std::string_view value;
};

// The data of one request; the views must be valid during append(). An empty text is stored as NULL. The data
// must be redacted already. Texts may contain any bytes: those that are not UTF-8 are replaced.
struct LogRow {
    Time created;
    std::string_view request_id;
    std::string_view trace_id;
    std::string_view tenant;  // App that the request is addressed to.
    std::string_view principal_kind;
    std::string_view principal;
    std::string_view role;
    std::string_view destination;  // App, upstream or third party that responded.
    std::string_view api_version;
    std::string_view method;
    std::string_view route;
    std::string_view url;                       // Path and redacted query.
    std::span<const LogField> request_headers;  // Repeated names are joined by ", ".
    std::string_view request_body;
    int status = 0;
    std::uint64_t response_bytes = 0;
    std::string_view response_body;
    std::chrono::microseconds duration{0};
    std::optional<std::chrono::microseconds> upstream_duration;
    std::string_view error_type;
    std::string_view cause;
    std::string_view decision_stage;  // Empty if the request was not denied.
    std::string_view decision_rule;
    std::span<const LogField> decision_facts;
    std::string_view client_ip;
    std::string_view country;
    std::string_view region;
    std::string_view city;
    std::string_view zip;
    std::optional<double> latitude;
    std::optional<double> longitude;
};

// Limits of texts in bytes; longer ones are truncated and end in "…".
struct LogTextLimits {
    std::size_t max_text_bytes = 4 * 1024;
    std::size_t max_body_bytes = 64 * 1024;
};

// Appends the row in the binary format of COPY (PostgreSQL manual, COPY, "Binary Format").
void encode_row(std::string& out, const LogRow& row, const LogTextLimits& limits = {});

struct TransactionLogSettings {
    std::size_t max_queued_rows = 50'000;            // Queued rows, over all buffers.
    std::size_t max_queued_bytes = 8 * 1024 * 1024;  // Queued bytes; memory use is a small multiple of this.
    std::chrono::milliseconds flush_interval{200};
    std::chrono::milliseconds write_timeout{10'000};  // For one batch.
    int retention_days = 30;
    LogTextLimits text_limits;
    std::uint32_t max_unrouted_rows_per_second = 100;
};

class TransactionLog {
public:
    // `platform` must outlive the log. Writing a batch uses one of its connections.
    TransactionLog(postgres::Pool& platform, const Clock& clock, Random& random,
                   TransactionLogSettings settings);

    // Writes the queued rows, for at most `write_timeout`; the remaining rows are counted as lost.
    ~TransactionLog();

    // Returns whether the row of a request without a route or a sign-in is to be appended. Beyond
    // max_unrouted_rows_per_second that is one of a hundred; the others are counted as sampled.
    bool sample_unrouted(Time created);

    // Queues a row, without waiting for the database. Returns false if the queue is full; the row is then
    // lost.
    //
    // A quarter of the queue is for tenants that use less than a sixteenth of it, so that the requests of one
    // tenant do not displace the rows of another.
    bool append(const LogRow& row);

    // Waits until all rows appended before are stored or lost. Returns false if `timeout` passes first.
    bool flush(std::chrono::milliseconds timeout);

    std::uint64_t written() const;
    std::uint64_t lost() const;
    std::uint64_t sampled() const;
    std::size_t queued() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// The row of a request, for `integreat why`: the columns with their values as text.
struct LoggedRequest {
    Time created;
    std::vector<std::pair<std::string, postgres::Value>> columns;
    postgres::Value find(std::string_view column) const;
};
Result<std::optional<LoggedRequest>> find_logged_request(postgres::Pool& platform,
                                                         const std::string& request_id, Monotonic deadline);

}  // namespace integreat::gateway
