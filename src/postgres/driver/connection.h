// SPDX-License-Identifier: Apache-2.0
// A non-blocking libpq connection. Each call ends at its deadline; a connection whose response did not arrive
// in time cannot be used again. Statements are sent in pipeline mode, so that a group of them costs one round
// trip (libpq documentation, "Pipeline Mode").
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <libpq-fe.h>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "postgres/driver/result_set.h"
#include "postgres/driver/transaction.h"

namespace integreat::postgres {

struct Statement {
    std::string_view sql;
    std::span<const Value> parameters;
    bool differs_each_time = false;  // Never kept prepared.
};

// The reason why a connection could not be opened.
struct ConnectFailure {
    Error error;
    bool worth_retrying = false;
};

class Connection {
public:
    // Opens a connection; null with `failure` set on error.
    static std::unique_ptr<Connection> open(const Secret& url, Monotonic until, ConnectFailure& failure);

    // Executes all statements in one round trip. Returns the results in order, or the first error. The
    // statements are one implicit transaction unless they contain BEGIN. `prepare` keeps them prepared on the
    // connection.
    Result<std::vector<ResultSet>> execute_pipeline(std::span<const Statement> statements, bool prepare,
                                                    Monotonic until);

    // Executes statements like execute_pipeline, in steps, for callers that watch the socket themselves:
    // start, then poll whenever the socket is readable (or writable, while wants_write()) until there is a
    // result. An error of start_pipeline is final.
    Result<> start_pipeline(std::span<const Statement> statements, bool prepare);
    std::optional<Result<std::vector<ResultSet>>> poll();
    bool wants_write() const { return wants_write_; }
    // Abandons a pipeline at its deadline or on cancellation. Returns the error of the pipeline; the
    // connection cannot be used again.
    Error abort();

    // Executes several statements without parameters, with the simple query protocol.
    Result<> script(const std::string& sql, Monotonic until);
    Result<std::uint64_t> copy_in(const std::string& sql, std::span<const std::string_view> chunks,
                                  Monotonic until);

    // Adds the payloads of all notifications received on the channels that this connection listens to.
    // Returns false if the connection is lost.
    bool receive_notifications(std::set<std::string>& payloads);
    int socket() const { return PQsocket(handle_.get()); }

    // Returns false if the server has closed the connection or sent something unexpected. Examines the
    // socket, without a round trip.
    bool is_idle();
    bool usable() const;  // False after a missed deadline or a lost connection.
    bool timed_out() const { return timed_out_; }
    const std::string& sqlstate() const { return server_error_.sqlstate; }
    const ServerError& server_error() const { return server_error_; }
    bool in_transaction() const;
    // Forgets the prepared statements. The server may still have them: new ones get other names.
    void forget_prepared() {
        prepared_.clear();
        ++generation_;
    }

    Monotonic idle_since;
    const void* last_queue = nullptr;  // The CompletionQueue of its last query; compared, not dereferenced.
    const std::uint64_t serial;        // Unique in this process.

private:
    struct Close {
        void operator()(PGconn* handle) const { PQfinish(handle); }
    };
    using Handle = std::unique_ptr<PGconn, Close>;

    struct StringHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };

    explicit Connection(Handle handle);

    // One command of a pipeline: a statement, or the preparation of one.
    struct Command {
        const std::string* preparing = nullptr;  // Key in prepared_; null for a statement.
    };

    // The commands sent, and their results so far.
    struct Pipeline {
        std::vector<Command> commands;
        std::vector<ResultSet> rows;
        std::optional<Error> first_error;
        std::size_t done = 0;
        int null_results = 0;  // Consecutive null results of PQgetResult.
    };

    bool send(const Statement& statement, bool prepare);
    bool flush();
    std::optional<Result<std::vector<ResultSet>>> read_results();
    std::optional<Result<std::vector<ResultSet>>> on_result(PGresult* result);
    Result<> wait_for_result(Monotonic until);
    Result<> flush_until(Monotonic until);
    Result<> put_copy_data(std::string_view bytes, Monotonic until);
    Result<> exit_pipeline_mode();
    Result<> finish_simple_query(Monotonic until, std::uint64_t* copied);
    Error connection_lost();
    Error record_error(const PGresult* result);

    Handle handle_;
    std::unordered_map<std::string, std::string, StringHash, std::equal_to<>> prepared_;  // Name by SQL.
    int generation_ = 0;
    Pipeline pipeline_;
    std::vector<const char*> values_;  // Parameters of one statement; a member to reuse its memory.
    bool wants_write_ = false;
    ServerError server_error_;
    bool timed_out_ = false;
    bool broken_ = false;
};

}  // namespace integreat::postgres
