// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/connection.h"

#include <algorithm>
#include <array>
#include <atomic>

#include <errno.h>
#include <poll.h>

#include "base/text/ascii.h"
#include "postgres/driver/connect_options.h"

namespace integreat::postgres {

namespace {

using std::chrono::nanoseconds;
using ClearResult = decltype([](PGresult* result) { PQclear(result); });
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;

constexpr std::size_t prepared_max = 512;  // Prepared statements per connection.
constexpr std::size_t copy_chunk_bytes = 64 * 1024;

// Waits for events on the socket; returns false at the deadline.
bool wait_for(int socket, short events, Monotonic until) {
    while (true) {
        auto left = std::chrono::duration_cast<nanoseconds>(until - std::chrono::steady_clock::now()).count();
        if (left < 0) left = 0;
        timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
        pollfd watched{socket, events, 0};
        int ready = ppoll(&watched, 1, &timeout, nullptr);
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR) return true;  // The next read reports the error of the socket.
    }
}

// Returns the name of a prepared statement: the same in each process, so that poolers can share it (FNV-1a).
std::string make_statement_name(std::string_view sql, int generation) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (unsigned char byte : sql)
        hash = (hash ^ byte) * 0x100000001b3u;
    std::string name = "i";
    for (int shift = 60; shift >= 0; shift -= 4)
        name += "0123456789abcdef"[(hash >> shift) & 15];
    return generation == 0 ? name : name + "_" + std::to_string(generation);
}

// Extracts the SQLSTATE from "FATAL:  28P01: password authentication failed": for failed connections, libpq
// 15 provides it only within the message.
std::string parse_sqlstate(std::string_view message) {
    auto is_sqlstate = [](std::string_view text) {
        return std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || is_upper(c); });
    };
    for (auto at = message.find(":  "); at != std::string_view::npos; at = message.find(":  ", at + 1)) {
        auto sqlstate = message.substr(at + 3, 5);
        if (sqlstate.size() == 5 && is_sqlstate(sqlstate) && message.substr(at + 8, 1) == ":")
            return std::string(sqlstate);
    }
    return {};
}

std::string join_lines(std::string_view text) {
    while (!text.empty() && text.back() == '\n')
        text.remove_suffix(1);
    std::string line(text);
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

ConnectFailure make_connect_failure(PGconn* handle) {
    auto message = join_lines(PQerrorMessage(handle));
    auto sqlstate = parse_sqlstate(message);
    bool starting = sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03" ||
                    sqlstate == "53300" || sqlstate.starts_with("08") ||
                    message.find("connect to compute") != std::string::npos;
    ConnectFailure failure{{Fault::unavailable, "the database cannot be reached; try again later", message}};
    failure.worth_retrying = sqlstate.empty() ? message.find("certificate") == std::string::npos : starting;
    if (!failure.worth_retrying) {
        failure.error.fault = Fault::internal;
        failure.error.message = "the database refuses the connection";
    }
    return failure;
}

Fault to_fault(std::string_view sqlstate) {
    if (sqlstate.starts_with("23")) return Fault::conflict;
    if (sqlstate == "40001" || sqlstate == "40P01" || sqlstate.starts_with("08") ||
        sqlstate.starts_with("57") || sqlstate.starts_with("53") || sqlstate == "55P03") {
        return Fault::unavailable;
    }
    if (sqlstate == "22021" || sqlstate == "22P05") return Fault::invalid;
    return Fault::internal;
}

std::string to_message(std::string_view sqlstate) {
    if (sqlstate.starts_with("23")) return "this conflicts with existing data";
    if (sqlstate == "40001" || sqlstate == "40P01")
        return "the same records were changed concurrently; try again";
    if (sqlstate == "57014") return "the database did not respond in time; try again later";
    if (sqlstate == "22021" || sqlstate == "22P05") return "text must be UTF-8 without NUL characters";
    return to_fault(sqlstate) == Fault::unavailable ? "the database is not available; try again later"
                                                    : "the database could not execute the statement";
}

std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> opened{0};
    return ++opened;
}

}  // namespace

Connection::Connection(Handle handle) : serial(next_serial()), handle_(std::move(handle)) {}

std::unique_ptr<Connection> Connection::open(const Secret& url, Monotonic until, ConnectFailure& failure) {
    auto options = parse_connect_options(url);
    if (!options) {
        failure = {std::move(options).error(), false};
        return nullptr;
    }
    std::vector<const char*> names, values;
    for (const auto& [name, value] : options->options) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    Handle handle(PQconnectStartParams(names.data(), values.data(), 0));
    if (!handle) throw std::bad_alloc();
    PQsetNoticeReceiver(
        handle.get(), [](void*, const PGresult*) {}, nullptr);
    PQsetErrorVerbosity(handle.get(), PQERRORS_VERBOSE);
    auto step = PQstatus(handle.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (step == PGRES_POLLING_READING || step == PGRES_POLLING_WRITING) {
        if (!wait_for(PQsocket(handle.get()), step == PGRES_POLLING_READING ? POLLIN : POLLOUT, until)) {
            failure = {{Fault::unavailable, "the database cannot be reached; try again later",
                        "no connection to the database before the deadline"},
                       false};
            return nullptr;
        }
        step = PQconnectPoll(handle.get());
    }
    if (step != PGRES_POLLING_OK || PQsetnonblocking(handle.get(), 1) != 0) {
        failure = make_connect_failure(handle.get());
        return nullptr;
    }
    PQsetErrorVerbosity(handle.get(), PQERRORS_DEFAULT);
    auto connection = std::unique_ptr<Connection>(new Connection(std::move(handle)));
    connection->idle_since = std::chrono::steady_clock::now();
    return connection;
}

bool Connection::usable() const {
    return !broken_ && !timed_out_ && PQstatus(handle_.get()) == CONNECTION_OK;
}

bool Connection::in_transaction() const {
    return PQtransactionStatus(handle_.get()) != PQTRANS_IDLE;
}

bool Connection::is_idle() {
    if (!usable()) return false;
    pollfd watched{PQsocket(handle_.get()), POLLIN, 0};
    return ::poll(&watched, 1, 0) == 0;
}

bool Connection::receive_notifications(std::set<std::string>& payloads) {
    if (!usable() || PQconsumeInput(handle_.get()) != 1) {
        broken_ = true;
        return false;
    }
    using Free = decltype([](PGnotify* notice) { PQfreemem(notice); });
    while (auto notice = std::unique_ptr<PGnotify, Free>(PQnotifies(handle_.get())))
        payloads.insert(notice->extra);
    return true;
}

Error Connection::connection_lost() {
    broken_ = true;
    server_error_ = {};
    return {Fault::unavailable, "the connection to the database was lost; try again",
            "connection lost: " + join_lines(PQerrorMessage(handle_.get()))};
}

Error Connection::abort() {
    timed_out_ = true;
    server_error_ = {};
    return {Fault::unavailable, "the database did not respond in time; try again later",
            "no response from the database before the deadline"};
}

Error Connection::record_error(const PGresult* result) {
    auto field = [&](int code) {
        const char* text = PQresultErrorField(result, code);
        return std::string(text ? text : "");
    };
    server_error_ = {.sqlstate = field(PG_DIAG_SQLSTATE),
                     .constraint = field(PG_DIAG_CONSTRAINT_NAME),
                     .column = field(PG_DIAG_COLUMN_NAME)};
    const auto& sqlstate = server_error_.sqlstate;
    // libpq makes up a result without an SQLSTATE when the connection breaks.
    if (sqlstate.empty()) return connection_lost();
    // DETAIL is omitted: it quotes values of rows.
    std::string cause = sqlstate + ": " + join_lines(field(PG_DIAG_MESSAGE_PRIMARY));
    if (!server_error_.constraint.empty()) cause += " (" + server_error_.constraint + ")";
    if (sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03") broken_ = true;
    return {to_fault(sqlstate), to_message(sqlstate), std::move(cause)};
}

bool Connection::send(const Statement& statement, bool prepare) {
    values_.clear();
    for (const auto& value : statement.parameters)
        values_.push_back(value ? value->c_str() : nullptr);
    int count = static_cast<int>(values_.size());
    auto known = prepared_.find(statement.sql);
    if (known == prepared_.end() &&
        (!prepare || statement.differs_each_time || prepared_.size() >= prepared_max)) {
        std::string sql(statement.sql);
        pipeline_.commands.push_back({});
        return PQsendQueryParams(handle_.get(), sql.c_str(), count, nullptr, values_.data(), nullptr, nullptr,
                                 0) == 1;
    }
    if (known == prepared_.end()) {
        known = prepared_.emplace(statement.sql, make_statement_name(statement.sql, generation_)).first;
        pipeline_.commands.push_back({&known->first});
        const char* sql = known->first.c_str();
        if (PQsendPrepare(handle_.get(), known->second.c_str(), sql, 0, nullptr) != 1) return false;
    }
    pipeline_.commands.push_back({});
    return PQsendQueryPrepared(handle_.get(), known->second.c_str(), count, values_.data(), nullptr, nullptr,
                               0) == 1;
}

// Waits until the next result can be read without blocking. Also flushes the output buffer: a deadlock would
// result if both sides only wrote.
Result<> Connection::wait_for_result(Monotonic until) {
    while (PQisBusy(handle_.get())) {
        int unsent = PQflush(handle_.get());
        if (unsent < 0) return connection_lost();
        auto events = static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN);
        if (!wait_for(PQsocket(handle_.get()), events, until)) return abort();
        if (PQconsumeInput(handle_.get()) != 1) return connection_lost();
    }
    return {};
}

Result<> Connection::start_pipeline(std::span<const Statement> statements, bool prepare) {
    server_error_ = {};
    pipeline_.commands.clear();
    pipeline_.rows.clear();
    pipeline_.first_error.reset();
    pipeline_.done = 0;
    pipeline_.null_results = 0;
    if (PQpipelineStatus(handle_.get()) == PQ_PIPELINE_OFF && PQenterPipelineMode(handle_.get()) != 1)
        return connection_lost();
    for (const auto& statement : statements) {
        if (!send(statement, prepare)) return connection_lost();
    }
    if (PQpipelineSync(handle_.get()) != 1 || !flush()) return connection_lost();
    // After a failed write libpq reads the last message of the server and closes the socket.
    if (PQsocket(handle_.get()) < 0) return connection_lost();
    return {};
}

// Sends buffered output without blocking; returns false if the connection is lost.
bool Connection::flush() {
    int left = PQflush(handle_.get());
    wants_write_ = left > 0;
    return left >= 0;
}

std::optional<Result<std::vector<ResultSet>>> Connection::poll() {
    if (PQconsumeInput(handle_.get()) != 1 || (wants_write_ && !flush())) return connection_lost();
    return read_results();
}

// Reads all results that have arrived.
std::optional<Result<std::vector<ResultSet>>> Connection::read_results() {
    while (!PQisBusy(handle_.get())) {
        auto* result = PQgetResult(handle_.get());
        if (result) {
            pipeline_.null_results = 0;
            if (auto complete = on_result(result)) return complete;
        } else if (++pipeline_.null_results == 2) {
            // A null ends the results of one command; two in a row mean that no more results will come.
            return connection_lost();
        }
    }
    return std::nullopt;
}

std::optional<Result<std::vector<ResultSet>>> Connection::on_result(PGresult* result) {
    ResultHandle handle(result);
    auto status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) {
        if (pipeline_.first_error) return *std::move(pipeline_.first_error);
        return std::move(pipeline_.rows);
    }
    bool succeeded = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (status == PGRES_FATAL_ERROR && !pipeline_.first_error) pipeline_.first_error = record_error(result);
    if (broken_ || pipeline_.done >= pipeline_.commands.size()) {
        if (!broken_) return connection_lost();
        return pipeline_.first_error ? *std::move(pipeline_.first_error) : connection_lost();
    }
    if (const auto* preparing = pipeline_.commands[pipeline_.done++].preparing) {
        if (!succeeded) prepared_.erase(*preparing);
    } else if (succeeded) {
        pipeline_.rows.emplace_back().result_ = std::shared_ptr<void>(
            handle.release(), [](void* owned) { PQclear(static_cast<PGresult*>(owned)); });
    }
    return std::nullopt;
}

Result<std::vector<ResultSet>> Connection::execute_pipeline(std::span<const Statement> statements,
                                                            bool prepare, Monotonic until) {
    TRY(start_pipeline(statements, prepare));
    for (;;) {
        auto events = static_cast<short>(wants_write_ ? POLLIN | POLLOUT : POLLIN);
        if (!wait_for(PQsocket(handle_.get()), events, until)) return abort();
        if (auto rows = poll()) return *std::move(rows);
    }
}

Result<> Connection::flush_until(Monotonic until) {
    while (true) {
        int unsent = PQflush(handle_.get());
        if (unsent < 0) return connection_lost();
        if (unsent == 0) return {};
        if (!wait_for(PQsocket(handle_.get()), POLLIN | POLLOUT, until)) return abort();
        if (PQconsumeInput(handle_.get()) != 1) return connection_lost();
    }
}

// COPY and the simple protocol are not available in pipeline mode.
Result<> Connection::exit_pipeline_mode() {
    server_error_ = {};
    if (PQexitPipelineMode(handle_.get()) != 1) return connection_lost();
    return {};
}

// Reads the remaining results of a simple query or a COPY, until the server is ready for the next query.
Result<> Connection::finish_simple_query(Monotonic until, std::uint64_t* copied) {
    std::optional<Error> first_error;
    while (true) {
        TRY(wait_for_result(until));
        ResultHandle handle(PQgetResult(handle_.get()));
        if (!handle) break;
        auto status = PQresultStatus(handle.get());
        if (status == PGRES_FATAL_ERROR && !first_error) first_error = record_error(handle.get());
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) return connection_lost();
        if (copied && status == PGRES_COMMAND_OK) {
            *copied = std::strtoull(PQcmdTuples(handle.get()), nullptr, 10);
        }
    }
    if (first_error) return *std::move(first_error);
    if (PQstatus(handle_.get()) != CONNECTION_OK) return connection_lost();
    return {};
}

Result<> Connection::script(const std::string& sql, Monotonic until) {
    TRY(exit_pipeline_mode());
    if (PQsendQuery(handle_.get(), sql.c_str()) != 1) return connection_lost();
    return finish_simple_query(until, nullptr);
}

Result<> Connection::put_copy_data(std::string_view bytes, Monotonic until) {
    for (std::size_t at = 0; at < bytes.size(); at += copy_chunk_bytes) {
        auto chunk = bytes.substr(at, copy_chunk_bytes);
        // In non-blocking mode 0 means "the buffer is full": it must be flushed first.
        while (true) {
            int queued = PQputCopyData(handle_.get(), chunk.data(), static_cast<int>(chunk.size()));
            if (queued < 0) return connection_lost();
            TRY(flush_until(until));
            if (queued == 1) break;
        }
    }
    return {};
}

Result<std::uint64_t> Connection::copy_in(const std::string& sql, std::span<const std::string_view> chunks,
                                          Monotonic until) {
    TRY(exit_pipeline_mode());
    if (PQsendQuery(handle_.get(), sql.c_str()) != 1) return connection_lost();
    TRY(wait_for_result(until));
    ResultHandle handle(PQgetResult(handle_.get()));
    if (!handle) return connection_lost();
    if (PQresultStatus(handle.get()) != PGRES_COPY_IN) {
        if (PQresultStatus(handle.get()) != PGRES_FATAL_ERROR) return connection_lost();
        auto error = record_error(handle.get());
        std::uint64_t ignored = 0;
        TRY(finish_simple_query(until, &ignored));
        return error;
    }
    for (auto chunk : chunks)
        TRY(put_copy_data(chunk, until));
    while (true) {
        int queued = PQputCopyEnd(handle_.get(), nullptr);
        if (queued < 0) return connection_lost();
        TRY(flush_until(until));
        if (queued == 1) break;
    }
    std::uint64_t copied = 0;
    TRY(finish_simple_query(until, &copied));
    return copied;
}

}  // namespace integreat::postgres
