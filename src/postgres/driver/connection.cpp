// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/connection.h"

#include <algorithm>
#include <array>
#include <atomic>

#include <errno.h>
#include <poll.h>

namespace integreat::postgres {

namespace {

using std::chrono::nanoseconds;
using Clear = decltype([](PGresult* result) { PQclear(result); });
using Answer = std::unique_ptr<PGresult, Clear>;

constexpr std::size_t prepared_max = 512;  // Statements kept prepared on one connection.
constexpr std::size_t copy_chunk_bytes = 64 * 1024;

// Waits for the socket; false at the deadline.
bool wait_for(int socket, short events, Monotonic until) {
    while (true) {
        auto left = std::chrono::duration_cast<nanoseconds>(until - std::chrono::steady_clock::now()).count();
        if (left < 0) left = 0;
        timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
        pollfd watched{socket, events, 0};
        int ready = ppoll(&watched, 1, &timeout, nullptr);
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR) return true;  // The next read reports what is wrong with the socket.
    }
}

// The name a statement is prepared under: the same in each process, so that poolers share it (FNV-1a).
std::string stable_name(std::string_view sql, int generation) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (unsigned char byte : sql)
        hash = (hash ^ byte) * 0x100000001b3u;
    std::string name = "i";
    for (int shift = 60; shift >= 0; shift -= 4)
        name += "0123456789abcdef"[(hash >> shift) & 15];
    return generation == 0 ? name : name + "_" + std::to_string(generation);
}

// "FATAL:  28P01: password authentication failed": libpq 15 hands the state out only within the text.
std::string state_within(std::string_view message) {
    auto is_state = [](std::string_view text) {
        return std::all_of(text.begin(), text.end(),
                           [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
    };
    for (auto at = message.find(":  "); at != std::string_view::npos; at = message.find(":  ", at + 1)) {
        auto state = message.substr(at + 3, 5);
        if (state.size() == 5 && is_state(state) && message.substr(at + 8, 1) == ":")
            return std::string(state);
    }
    return {};
}

std::string one_line(std::string_view text) {
    while (!text.empty() && text.back() == '\n')
        text.remove_suffix(1);
    std::string line(text);
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

ConnectFailure connect_failure(PGconn* handle) {
    auto words = one_line(PQerrorMessage(handle));
    auto state = state_within(words);
    bool starting = state == "57P01" || state == "57P02" || state == "57P03" || state == "53300" ||
                    state.starts_with("08") || words.find("connect to compute") != std::string::npos;
    ConnectFailure failure{{Fault::unavailable, "the database cannot be reached; try again later", words}};
    failure.worth_retrying = state.empty() ? words.find("certificate") == std::string::npos : starting;
    if (!failure.worth_retrying) {
        failure.error.fault = Fault::internal;
        failure.error.message = "the database refuses us";
    }
    return failure;
}

Fault fault_of(std::string_view state) {
    if (state.starts_with("23")) return Fault::conflict;
    if (state == "40001" || state == "40P01" || state.starts_with("08") || state.starts_with("57") ||
        state.starts_with("53") || state == "55P03") {
        return Fault::unavailable;
    }
    if (state == "22021" || state == "22P05") return Fault::invalid;
    return Fault::internal;
}

std::string message_of(std::string_view state) {
    if (state.starts_with("23")) return "this conflicts with what is stored already";
    if (state == "40001" || state == "40P01")
        return "others changed the same records at this moment; try again";
    if (state == "57014") return "the database did not answer in time; try again later";
    if (state == "22021" || state == "22P05") return "text must be UTF-8 without NUL characters";
    return fault_of(state) == Fault::unavailable ? "the database is not available; try again later"
                                                 : "the database could not carry this out";
}

std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> opened{0};
    return ++opened;
}

}  // namespace

Connection::Connection(Handle handle) : serial(next_serial()), handle_(std::move(handle)) {}

std::unique_ptr<Connection> Connection::open(const Secret& url, Monotonic until, ConnectFailure& failure) {
    auto options = connect_options(url);
    if (!options) {
        failure = {std::move(options).error(), false};
        return nullptr;
    }
    std::vector<const char*> names, values;
    for (const auto& [name, value] : options->all) {
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
        failure = connect_failure(handle.get());
        return nullptr;
    }
    PQsetErrorVerbosity(handle.get(), PQERRORS_DEFAULT);
    auto connection = std::unique_ptr<Connection>(new Connection(std::move(handle)));
    connection->rested_since = std::chrono::steady_clock::now();
    return connection;
}

bool Connection::usable() const {
    return !broken_ && !timed_out_ && PQstatus(handle_.get()) == CONNECTION_OK;
}

bool Connection::in_transaction() const {
    return PQtransactionStatus(handle_.get()) != PQTRANS_IDLE;
}

bool Connection::quiet() {
    if (!usable()) return false;
    pollfd watched{PQsocket(handle_.get()), POLLIN, 0};
    return poll(&watched, 1, 0) == 0;
}

bool Connection::take_notices(std::set<std::string>& payloads) {
    if (!usable() || PQconsumeInput(handle_.get()) != 1) {
        broken_ = true;
        return false;
    }
    using Free = decltype([](PGnotify* notice) { PQfreemem(notice); });
    while (auto notice = std::unique_ptr<PGnotify, Free>(PQnotifies(handle_.get())))
        payloads.insert(notice->extra);
    return true;
}

Error Connection::lost() {
    broken_ = true;
    refusal_ = {};
    return {Fault::unavailable, "the connection to the database was lost; try again",
            "connection lost: " + one_line(PQerrorMessage(handle_.get()))};
}

Error Connection::late() {
    timed_out_ = true;
    refusal_ = {};
    return {Fault::unavailable, "the database did not answer in time; try again later",
            "no answer of the database before the deadline"};
}

Error Connection::refused(const PGresult* result) {
    auto field = [&](int code) {
        const char* text = PQresultErrorField(result, code);
        return std::string(text ? text : "");
    };
    refusal_ = {.state = field(PG_DIAG_SQLSTATE),
                .constraint = field(PG_DIAG_CONSTRAINT_NAME),
                .column = field(PG_DIAG_COLUMN_NAME)};
    // libpq makes up a result without a state when the connection breaks.
    if (refusal_.state.empty()) return lost();
    // DETAIL is left out: it quotes the values of rows.
    std::string cause = refusal_.state + ": " + one_line(field(PG_DIAG_MESSAGE_PRIMARY));
    if (!refusal_.constraint.empty()) cause += " (" + refusal_.constraint + ")";
    if (refusal_.state == "57P01" || refusal_.state == "57P02" || refusal_.state == "57P03") broken_ = true;
    return {fault_of(refusal_.state), message_of(refusal_.state), std::move(cause)};
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
        group_.commands.push_back({});
        return PQsendQueryParams(handle_.get(), sql.c_str(), count, nullptr, values_.data(), nullptr, nullptr,
                                 0) == 1;
    }
    if (known == prepared_.end()) {
        known = prepared_.emplace(statement.sql, stable_name(statement.sql, generation_)).first;
        group_.commands.push_back({&known->first});
        const char* sql = known->first.c_str();
        if (PQsendPrepare(handle_.get(), known->second.c_str(), sql, 0, nullptr) != 1) return false;
    }
    group_.commands.push_back({});
    return PQsendQueryPrepared(handle_.get(), known->second.c_str(), count, values_.data(), nullptr, nullptr,
                               0) == 1;
}

// Until the next result can be taken without waiting; sends what is still to be sent meanwhile, since both
// sides would wait for each other if we only wrote.
Result<> Connection::await(Monotonic until) {
    while (PQisBusy(handle_.get())) {
        int unsent = PQflush(handle_.get());
        if (unsent < 0) return lost();
        auto events = static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN);
        if (!wait_for(PQsocket(handle_.get()), events, until)) return late();
        if (PQconsumeInput(handle_.get()) != 1) return lost();
    }
    return {};
}

Result<> Connection::begin(std::span<const Statement> statements, bool prepare) {
    refusal_ = {};
    group_.commands.clear();
    group_.rows.clear();
    group_.first_error.reset();
    group_.done = 0;
    group_.nothing = 0;
    if (PQpipelineStatus(handle_.get()) == PQ_PIPELINE_OFF && PQenterPipelineMode(handle_.get()) != 1)
        return lost();
    for (const auto& statement : statements) {
        if (!send(statement, prepare)) return lost();
    }
    if (PQpipelineSync(handle_.get()) != 1 || !push()) return lost();
    // A write that fails lets libpq read what the server said last, and close the socket.
    if (PQsocket(handle_.get()) < 0) return lost();
    return {};
}

// False if the connection is lost.
bool Connection::push() {
    int left = PQflush(handle_.get());
    unsent_ = left > 0;
    return left >= 0;
}

std::optional<Result<std::vector<Rows>>> Connection::proceed() {
    if (PQconsumeInput(handle_.get()) != 1 || (unsent_ && !push())) return lost();
    return collect();
}

// What can be had without waiting.
std::optional<Result<std::vector<Rows>>> Connection::collect() {
    while (!PQisBusy(handle_.get())) {
        auto* result = PQgetResult(handle_.get());
        if (result) {
            group_.nothing = 0;
            auto answer = take(result);
            if (answer) return answer;
        } else if (++group_.nothing == 2) {
            // The end of one command's results; twice in a row means there is no more to come.
            return lost();
        }
    }
    return std::nullopt;
}

std::optional<Result<std::vector<Rows>>> Connection::take(PGresult* result) {
    Answer answer(result);
    auto status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) {
        if (group_.first_error) return *std::move(group_.first_error);
        return std::move(group_.rows);
    }
    bool succeeded = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (status == PGRES_FATAL_ERROR && !group_.first_error) group_.first_error = refused(result);
    if (broken_ || group_.done >= group_.commands.size()) {
        if (!broken_) return lost();
        return group_.first_error ? *std::move(group_.first_error) : lost();
    }
    if (const auto* preparing = group_.commands[group_.done++].preparing) {
        if (!succeeded) prepared_.erase(*preparing);
    } else if (succeeded) {
        group_.rows.emplace_back().result_ = std::shared_ptr<void>(
            answer.release(), [](void* owned) { PQclear(static_cast<PGresult*>(owned)); });
    }
    return std::nullopt;
}

Result<std::vector<Rows>> Connection::exchange(std::span<const Statement> statements, bool prepare,
                                               Monotonic until) {
    TRY(begin(statements, prepare));
    for (;;) {
        auto events = static_cast<short>(unsent_ ? POLLIN | POLLOUT : POLLIN);
        if (!wait_for(PQsocket(handle_.get()), events, until)) return late();
        if (auto answer = proceed()) return *std::move(answer);
    }
}

Result<> Connection::flush(Monotonic until) {
    while (true) {
        int unsent = PQflush(handle_.get());
        if (unsent < 0) return lost();
        if (unsent == 0) return {};
        if (!wait_for(PQsocket(handle_.get()), POLLIN | POLLOUT, until)) return late();
        if (PQconsumeInput(handle_.get()) != 1) return lost();
    }
}

// COPY and the simple protocol are not available in pipeline mode.
Result<> Connection::leave_pipeline() {
    refusal_ = {};
    if (PQexitPipelineMode(handle_.get()) != 1) return lost();
    return {};
}

// The rest of the answers to a simple query or a COPY, up to the server's being ready again.
Result<> Connection::finish_simple(Monotonic until, std::uint64_t* copied) {
    std::optional<Error> first_error;
    while (true) {
        TRY(await(until));
        Answer answer(PQgetResult(handle_.get()));
        if (!answer) break;
        auto status = PQresultStatus(answer.get());
        if (status == PGRES_FATAL_ERROR && !first_error) first_error = refused(answer.get());
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) return lost();
        if (copied && status == PGRES_COMMAND_OK) {
            *copied = std::strtoull(PQcmdTuples(answer.get()), nullptr, 10);
        }
    }
    if (first_error) return *std::move(first_error);
    if (PQstatus(handle_.get()) != CONNECTION_OK) return lost();
    return {};
}

Result<> Connection::script(const std::string& sql, Monotonic until) {
    TRY(leave_pipeline());
    if (PQsendQuery(handle_.get(), sql.c_str()) != 1) return lost();
    return finish_simple(until, nullptr);
}

Result<> Connection::put_copy(std::string_view bytes, Monotonic until) {
    for (std::size_t at = 0; at < bytes.size(); at += copy_chunk_bytes) {
        auto chunk = bytes.substr(at, copy_chunk_bytes);
        // In non-blocking mode 0 means "the buffer is full": it has to be emptied first.
        while (true) {
            int taken = PQputCopyData(handle_.get(), chunk.data(), static_cast<int>(chunk.size()));
            if (taken < 0) return lost();
            TRY(flush(until));
            if (taken == 1) break;
        }
    }
    return {};
}

Result<std::uint64_t> Connection::copy_in(const std::string& sql, std::span<const std::string_view> parts,
                                          Monotonic until) {
    TRY(leave_pipeline());
    if (PQsendQuery(handle_.get(), sql.c_str()) != 1) return lost();
    TRY(await(until));
    Answer answer(PQgetResult(handle_.get()));
    if (!answer) return lost();
    if (PQresultStatus(answer.get()) != PGRES_COPY_IN) {
        if (PQresultStatus(answer.get()) != PGRES_FATAL_ERROR) return lost();
        auto error = refused(answer.get());
        std::uint64_t ignored = 0;
        TRY(finish_simple(until, &ignored));
        return error;
    }
    for (auto part : parts)
        TRY(put_copy(part, until));
    while (true) {
        int taken = PQputCopyEnd(handle_.get(), nullptr);
        if (taken < 0) return lost();
        TRY(flush(until));
        if (taken == 1) break;
    }
    std::uint64_t copied = 0;
    TRY(finish_simple(until, &copied));
    return copied;
}

}  // namespace integreat::postgres
