// SPDX-License-Identifier: Apache-2.0
// One libpq connection, driven without blocking: each call ends at its deadline, and a connection whose
// answer did not come in time is of no further use. Statements travel in pipeline mode, so that a group of
// them costs one round trip (libpq documentation, "Pipeline Mode").
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
#include "postgres/driver/pool.h"

namespace integreat::postgres {

struct Statement {
    std::string_view sql;
    std::span<const Value> parameters;
    bool differs_each_time = false;  // Then it is not kept prepared.
};

// Why a connection could not be opened, and whether trying again may help.
struct ConnectFailure {
    Error error;
    bool worth_retrying = false;
};

class Connection {
public:
    // Null with `failure` filled if it could not be opened.
    static std::unique_ptr<Connection> open(const Secret& url, Monotonic until, ConnectFailure& failure);

    // All statements in one round trip; the results in their order, or the first error. The statements are
    // one implicit transaction unless they say BEGIN. `prepare` keeps them prepared on the connection.
    Result<std::vector<Rows>> exchange(std::span<const Statement> statements, bool prepare, Monotonic until);

    // The same in steps, for those who wait for the socket themselves: begin, then proceed whenever it is
    // readable (or writable, while something is unsent) until there is a result. An error of begin ends it.
    Result<> begin(std::span<const Statement> statements, bool prepare);
    std::optional<Result<std::vector<Rows>>> proceed();
    bool unsent() const { return unsent_; }
    // Ends an exchange that got no answer by its deadline, or that nobody wants any more.
    Error late();

    // Simple query protocol: several statements, none with parameters.
    Result<> script(const std::string& sql, Monotonic until);
    Result<std::uint64_t> copy_in(const std::string& sql, std::span<const std::string_view> parts,
                                  Monotonic until);

    // What other sessions announced on the channels that this one listens to: each payload is added. False if
    // the connection is lost.
    bool take_notices(std::set<std::string>& payloads);
    int socket() const { return PQsocket(handle_.get()); }

    // False if the server has closed its end or said something unasked: a look at the socket, no round trip.
    bool quiet();
    bool usable() const;  // False once an answer was late or the connection broke.
    bool timed_out() const { return timed_out_; }
    const std::string& sql_state() const { return refusal_.state; }  // Of the last error of the server.
    const Refusal& refusal() const { return refusal_; }
    bool in_transaction() const;
    // The server may still have them: what is prepared from now on has other names.
    void forget_prepared() {
        prepared_.clear();
        ++generation_;
    }

    Monotonic rested_since;
    const void* lane = nullptr;  // The Lane that used it last, to be compared only.
    const std::uint64_t serial;  // Of all connections of this process.

private:
    struct Close {
        void operator()(PGconn* handle) const { PQfinish(handle); }
    };
    using Handle = std::unique_ptr<PGconn, Close>;

    struct HashText {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };

    explicit Connection(Handle handle);

    // One message group of a pipeline: a statement, or the preparation of one.
    struct Command {
        const std::string* preparing = nullptr;  // Key in prepared_.
    };

    // What was sent, and what has come of it so far.
    struct Group {
        std::vector<Command> commands;
        std::vector<Rows> rows;
        std::optional<Error> first_error;
        std::size_t done = 0;
        int nothing = 0;  // Ends of results in a row.
    };

    bool send(const Statement& statement, bool prepare);
    bool push();
    std::optional<Result<std::vector<Rows>>> collect();
    std::optional<Result<std::vector<Rows>>> take(PGresult* result);
    Result<> await(Monotonic until);
    Result<> flush(Monotonic until);
    Result<> put_copy(std::string_view bytes, Monotonic until);
    Result<> leave_pipeline();
    Result<> finish_simple(Monotonic until, std::uint64_t* copied);
    Error lost();
    Error refused(const PGresult* result);

    Handle handle_;
    std::unordered_map<std::string, std::string, HashText, std::equal_to<>> prepared_;  // SQL to name.
    int generation_ = 0;
    Group group_;
    std::vector<const char*> values_;  // Of one statement; kept for its memory.
    bool unsent_ = false;
    Refusal refusal_;
    bool timed_out_ = false;
    bool broken_ = false;
};

// The options of a URL as libpq gets them: what the URL says, and for servers elsewhere TLS with the name
// checked against the system's certificates unless it says otherwise.
struct ConnectOptions {
    std::vector<std::pair<std::string, std::string>> all;
    std::string find(std::string_view name) const;
};
Result<ConnectOptions> connect_options(const Secret& url);

}  // namespace integreat::postgres
