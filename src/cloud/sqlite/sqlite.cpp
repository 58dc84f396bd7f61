// SPDX-License-Identifier: Apache-2.0
#include "cloud/sqlite/sqlite.h"

#include <filesystem>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace integreat::sqlite {

namespace {

constexpr int busy_timeout_ms = 5'000;
constexpr std::size_t idle_statements_max = 200;
constexpr std::size_t idle_readers_max = 8;
constexpr int open_flags =
    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

Error sqlite_error(sqlite3* connection, int code) {
    std::string cause = sqlite3_errmsg(connection);
    switch (code & 0xff) {
        case SQLITE_CONSTRAINT: return {Fault::conflict, "the current state does not allow this", cause};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {Fault::unavailable, "another process is using the local cloud's data; try again", cause};
        default:
            return {Fault::internal, "the local cloud's data cannot be read or written",
                    cause + " (SQLite " + std::to_string(code) + ")"};
    }
}

Result<> run(sqlite3* connection, const char* sql) {
    int code = sqlite3_exec(connection, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return sqlite_error(connection, code);
    return {};
}

// Runs BEGIN or COMMIT from the statement cache.
Result<> run_prepared(Connection& connection, std::string_view sql) {
    auto statement = TRY(Statement::prepare(connection, sql));
    TRY(statement.step());
    return {};
}

Result<std::int64_t> pragma(Transaction& transaction, const char* sql) {
    auto statement = TRY(transaction.query(sql));
    TRY(statement.step());
    return statement.integer(0);
}

Result<> migrate(Transaction& transaction, const Schema& schema) {
    auto version = TRY(pragma(transaction, "PRAGMA user_version"));
    auto owner = TRY(pragma(transaction, "PRAGMA application_id"));
    auto tables = TRY(pragma(transaction, "SELECT count(*) FROM sqlite_schema"));
    auto newest = static_cast<std::int64_t>(schema.migrations.size());
    if (owner != schema.application_id && (tables != 0 || version != 0)) {
        return Error{Fault::invalid, "this SQLite file belongs to another program; use another data folder"};
    }
    if (version > newest) {
        return Error{Fault::invalid,
                     "the " + std::string(schema.contents) + " were written by a newer version (schema " +
                         std::to_string(version) + ", this version supports " + std::to_string(newest) +
                         "); use that version or another data folder"};
    }
    if (version == newest) return {};
    for (auto step = version; step < newest; ++step)
        TRY(transaction.run_script(schema.migrations[static_cast<std::size_t>(step)]));
    return transaction.run_script("PRAGMA application_id=" + std::to_string(schema.application_id) +
                                  "; PRAGMA user_version=" + std::to_string(newest));
}

// Syncs the folder, so that the file name survives power loss too.
Result<> sync_folder(const std::string& folder) {
    int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    if (descriptor >= 0) ::close(descriptor);
    if (!synced) return Error{Fault::internal, "the data folder cannot be synced", folder};
    return {};
}

}  // namespace

void CloseSqlite::operator()(sqlite3* connection) const {
    sqlite3_close_v2(connection);
}
void FinalizeStatement::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Result<Statement> Statement::prepare(Connection& connection, std::string_view sql) {
    if (auto cached = connection.idle.find(sql); cached != connection.idle.end() && cached->second) {
        return Statement(connection, std::move(cached->second));
    }
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v3(connection.handle.get(), sql.data(), static_cast<int>(sql.size()),
                                  SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return sqlite_error(connection.handle.get(), code);
    return Statement(connection, PreparedStatement(statement));
}

Statement::~Statement() {
    if (!statement_) return;
    sqlite3_reset(statement_.get());
    sqlite3_clear_bindings(statement_.get());
    std::string_view sql = sqlite3_sql(statement_.get());
    if (auto cached = connection_->idle.find(sql); cached != connection_->idle.end()) {
        cached->second = std::move(statement_);
    } else if (connection_->idle.size() < idle_statements_max) {
        connection_->idle.emplace(sql, std::move(statement_));
    }
}

void Statement::bind(std::int64_t value) {
    if (int code = sqlite3_bind_int64(statement_.get(), ++bound_, value)) failure_ = code;
}

void Statement::bind(std::string_view value) {
    const char* start = value.data() ? value.data() : "";  // A null pointer would bind NULL.
    if (int code = sqlite3_bind_text64(statement_.get(), ++bound_, start, value.size(), SQLITE_TRANSIENT,
                                       SQLITE_UTF8))
        failure_ = code;
}

void Statement::bind(Blob value) {
    const char* start = value.bytes.data() ? value.bytes.data() : "";
    if (int code =
            sqlite3_bind_blob64(statement_.get(), ++bound_, start, value.bytes.size(), SQLITE_TRANSIENT))
        failure_ = code;
}

void Statement::bind_null() {
    if (int code = sqlite3_bind_null(statement_.get(), ++bound_)) failure_ = code;
}

void Statement::reset() {
    sqlite3_reset(statement_.get());
    bound_ = 0;
}

Result<bool> Statement::step() {
    ASSERT(bound_ == sqlite3_bind_parameter_count(statement_.get()));
    sqlite3* handle = connection_->handle.get();
    if (failure_ != 0) return sqlite_error(handle, failure_);
    switch (int code = sqlite3_step(statement_.get())) {
        case SQLITE_ROW: return true;
        case SQLITE_DONE: return false;
        default: return sqlite_error(handle, code);
    }
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::view(int column) const {
    auto* start = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    if (!start) return {};
    return {start, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
    if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
    return integer(column);
}

std::optional<std::string> Statement::optional_text(int column) const {
    if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
    return text(column);
}

Transaction::~Transaction() {
    if (!writer_ && !reader_) return;  // Moved from.
    if (open_) {
        // A failed ROLLBACK is harmless: SQLite rolls back when the next transaction begins or the file is
        // closed.
        sqlite3_exec(connection().handle.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
    if (reader_) store_->release_reader(std::move(reader_));
}

Result<> Transaction::run_script(const std::string& sql) {
    return run(connection().handle.get(), sql.c_str());
}

Result<> Transaction::commit() {
    TRY(run_prepared(connection(), "COMMIT"));
    open_ = false;
    return {};
}

std::int64_t Transaction::changes() {
    return sqlite3_changes64(connection().handle.get());
}

Result<std::unique_ptr<Store>> Store::open(const std::string& folder, const Schema& schema) {
    std::string contents(schema.contents);
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure) {
        return Error{Fault::unavailable, "the folder for " + contents + " cannot be created (" + folder + ")",
                     failure.message()};
    }
    ::chmod(folder.c_str(), 0700);
    auto file = folder + "/" + std::string(schema.file);
    sqlite3* opened = nullptr;
    int code = sqlite3_open_v2(file.c_str(), &opened, open_flags, nullptr);
    Connection connection{.handle = std::unique_ptr<sqlite3, CloseSqlite>(opened), .idle = {}};
    if (code != SQLITE_OK) {
        return Error{Fault::unavailable, "the file of " + contents + " cannot be opened (" + file + ")",
                     sqlite3_errstr(code)};
    }
    ::chmod(file.c_str(), 0600);  // The file contains secrets.
    sqlite3_busy_timeout(opened, busy_timeout_ms);
    auto ready = run(opened, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON");
    if (!ready) {
        return Error{Fault::invalid, "this is not a file of " + contents + " (" + file + ")",
                     std::move(ready).error().cause};
    }
    TRY(sync_folder(folder));

    std::unique_ptr<Store> store(new Store(std::move(connection), folder, file));
    auto transaction = TRY(store->write());
    if (auto migrated = migrate(transaction, schema); !migrated) {
        auto error = std::move(migrated).error();
        error.message += " (" + file + ")";
        return error;
    }
    TRY(transaction.commit());
    return store;
}

Result<Transaction> Store::write() {
    auto access = writer_.lock();
    TRY(run_prepared(*access, "BEGIN IMMEDIATE"));
    return Transaction(*this, std::move(access), nullptr);
}

Result<Transaction> Store::read() {
    std::unique_ptr<Connection> reader;
    if (auto idle = readers_.lock(); !idle->empty()) {
        reader = std::move(idle->back());
        idle->pop_back();
    }
    if (!reader) {
        sqlite3* opened = nullptr;
        int code = sqlite3_open_v2(file_.c_str(), &opened, open_flags, nullptr);
        reader = std::make_unique<Connection>();
        reader->handle.reset(opened);
        if (code != SQLITE_OK) {
            return Error{Fault::unavailable, "the local cloud's data cannot be opened",
                         file_ + ": " + sqlite3_errstr(code)};
        }
        sqlite3_busy_timeout(opened, busy_timeout_ms);
        TRY(run(opened, "PRAGMA query_only=ON; PRAGMA cache_size=-1024"));
    }
    TRY(run_prepared(*reader, "BEGIN"));
    return Transaction(*this, std::nullopt, std::move(reader));
}

void Store::release_reader(std::unique_ptr<Connection> reader) {
    auto idle = readers_.lock();
    if (idle->size() < idle_readers_max) idle->push_back(std::move(reader));
}

}  // namespace integreat::sqlite
