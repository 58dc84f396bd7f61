// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/sqlite.h"

#include <filesystem>

#include <sqlite3.h>
#include <sys/stat.h>

namespace integreat::firebase {

namespace {

constexpr int busy_timeout_ms = 5'000;

Error sqlite_error(sqlite3* connection, int code) {
    std::string cause = sqlite3_errmsg(connection);
    switch (code & 0xff) {
        case SQLITE_CONSTRAINT: return {Fault::conflict, "INTERNAL", cause};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {Fault::unavailable, "UNAVAILABLE : another process holds the users", cause};
        default: return {Fault::internal, "INTERNAL", cause + " (SQLite " + std::to_string(code) + ")"};
    }
}

Result<> run(sqlite3* connection, const char* sql) {
    int code = sqlite3_exec(connection, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return sqlite_error(connection, code);
    return {};
}

}  // namespace

void CloseSqlite::operator()(sqlite3* connection) const {
    sqlite3_close_v2(connection);
}
void FinalizeStatement::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Result<Statement> Statement::prepare(sqlite3* connection, std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    if (code != SQLITE_OK) return sqlite_error(connection, code);
    return Statement(statement);
}

void Statement::bind(std::int64_t value) {
    if (int code = sqlite3_bind_int64(statement_.get(), ++bound_, value)) failure_ = code;
}

void Statement::bind(std::string_view value) {
    const char* start = value.data() ? value.data() : "";  // A null pointer would mean NULL.
    auto size = static_cast<int>(value.size());
    if (int code = sqlite3_bind_text(statement_.get(), ++bound_, start, size, SQLITE_TRANSIENT))
        failure_ = code;
}

void Statement::bind(Blob value) {
    auto size = static_cast<int>(value.bytes.size());
    const char* start = value.bytes.data() ? value.bytes.data() : "";
    if (int code = sqlite3_bind_blob(statement_.get(), ++bound_, start, size, SQLITE_TRANSIENT))
        failure_ = code;
}

void Statement::bind_null() {
    if (int code = sqlite3_bind_null(statement_.get(), ++bound_)) failure_ = code;
}

Result<bool> Statement::step() {
    ASSERT(bound_ == sqlite3_bind_parameter_count(statement_.get()));
    sqlite3* connection = sqlite3_db_handle(statement_.get());
    if (failure_ != 0) return sqlite_error(connection, failure_);
    switch (int code = sqlite3_step(statement_.get())) {
        case SQLITE_ROW: return true;
        case SQLITE_DONE: return false;
        default: return sqlite_error(connection, code);
    }
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
    auto* start = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    if (!start) return {};
    return {start, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::optional<std::int64_t> Statement::maybe_integer(int column) const {
    if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
    return integer(column);
}

std::optional<std::string> Statement::maybe_text(int column) const {
    if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
    return text(column);
}

Transaction::~Transaction() {
    // A failed rollback leaves nothing behind either: SQLite rolls back when the next one begins or the file
    // closes.
    if (open_) sqlite3_exec(access_->get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<> Transaction::run_script(const std::string& sql) {
    return run(access_->get(), sql.c_str());
}

Result<> Transaction::commit() {
    TRY(run(access_->get(), "COMMIT"));
    open_ = false;
    return {};
}

std::int64_t Transaction::changes() const {
    return sqlite3_changes64(access_->get());
}

Result<std::unique_ptr<Store>> Store::open(const std::string& folder) {
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure) {
        return Error{Fault::unavailable, "the folder for users cannot be made (" + folder + ")",
                     failure.message()};
    }
    ::chmod(folder.c_str(), 0700);
    auto file = folder + "/users.sqlite";
    sqlite3* opened = nullptr;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(file.c_str(), &opened, flags, nullptr);
    Connection connection(opened);
    if (code != SQLITE_OK) {
        return Error{Fault::unavailable, "the file of users cannot be opened (" + file + ")",
                     sqlite3_errstr(code)};
    }
    ::chmod(file.c_str(), 0600);  // It holds the keys that sign tokens.
    sqlite3_busy_timeout(opened, busy_timeout_ms);
    auto ready = run(opened, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON");
    if (!ready) {
        return Error{Fault::invalid, "this is not a file of users (" + file + ")",
                     std::move(ready).error().cause};
    }

    std::unique_ptr<Store> store(new Store(std::move(connection), folder));
    auto transaction = TRY(store->write());
    if (auto migrated = migrate(transaction); !migrated) {
        auto error = std::move(migrated).error();
        error.message += " (" + file + ")";
        return error;
    }
    TRY(transaction.commit());
    return store;
}

Result<Transaction> Store::begin(const char* sql) {
    auto access = connection_.lock();
    TRY(run(access->get(), sql));
    return Transaction(std::move(access));
}

}  // namespace integreat::firebase
