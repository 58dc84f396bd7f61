// SPDX-License-Identifier: Apache-2.0
// One row per request in the platform's database, off the request's path: append() encodes the row into a
// buffer of this thread and returns, a writer thread copies full buffers into the partition of the day. The
// queue is bounded; a row that cannot be stored is counted by lost(), once, and never silently dropped.
// A batch is one transaction. If the connection breaks at its commit, the database is asked whether the
// batch arrived before it is sent again, so rows are neither doubled nor missed.
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
#include "postgres/driver/pool.h"

namespace integreat::gateway {

struct LogField {
    std::string_view name;
    std::string_view value;
};

// What is known of one request; the views live as long as the call of append(). An empty text is stored as
// NULL. Everything must be redacted already. Any bytes may be in it: what is not UTF-8 is replaced.
struct LogRow {
    Time created;
    std::string_view request_id;
    std::string_view trace_id;
    std::string_view tenant;  // The origin app.
    std::string_view principal_kind;
    std::string_view principal;
    std::string_view role;
    std::string_view destination;  // The app, upstream or third party that answered.
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
    std::string_view decision_stage;  // Empty: nothing was refused.
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

// The longest a text of a row may be; longer ones are cut, and end in "…".
struct LogTextLimits {
    std::size_t text_bytes_max = 4 * 1024;
    std::size_t body_bytes_max = 64 * 1024;
};

// Appends the row in the binary format of COPY (PostgreSQL manual, COPY, "Binary Format").
void encode_row(std::string& out, const LogRow& row, const LogTextLimits& limits = {});

struct TransactionLogSettings {
    std::size_t rows_max = 50'000;            // Waiting for the database, in all buffers together.
    std::size_t bytes_max = 8 * 1024 * 1024;  // The memory it takes is a small multiple of this.
    std::chrono::milliseconds flush_every{200};
    std::chrono::milliseconds write_timeout{10'000};  // For one batch.
    int retention_days = 30;
    LogTextLimits texts;
};

class TransactionLog {
public:
    // `platform` must outlive this. One connection of it is in use while a batch is written.
    TransactionLog(postgres::Pool& platform, const Clock& clock, Random& random,
                   TransactionLogSettings settings);

    // Writes what waits, for at most `write_timeout`; what is left then is counted as lost.
    ~TransactionLog();

    // Never waits for the database. False if the queue is full: the row is counted as lost.
    bool append(const LogRow& row);

    // Waits until everything appended before is stored or lost; false if `timeout` passes first.
    bool flush(std::chrono::milliseconds timeout);

    std::uint64_t written() const;
    std::uint64_t lost() const;
    std::size_t waiting() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// The row of a request, for `integreat why`: column names and their values as text.
struct LoggedRequest {
    Time created;
    std::vector<std::pair<std::string, postgres::Value>> columns;
    postgres::Value find(std::string_view column) const;
};
Result<std::optional<LoggedRequest>> find_logged(postgres::Pool& platform, const std::string& request_id,
                                                 Monotonic deadline);

}  // namespace integreat::gateway
