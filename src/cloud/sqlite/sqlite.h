// SPDX-License-Identifier: Apache-2.0
// A SQLite database file (https://www.sqlite.org/wal.html) in WAL mode with synchronous=FULL, so committed
// data survives kill -9 and power loss. One connection writes, protected by a mutex; readers use connections
// of their own, never wait for the writer and never see uncommitted data. Another process (the command line)
// may write to the same file concurrently; SQLite's busy timeout makes the writers wait for each other.
// Prepared statements are cached per connection.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/concurrency/synchronized.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace integreat::sqlite {

struct CloseSqlite {
    void operator()(sqlite3* connection) const;
};
struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const;
};
using PreparedStatement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// A connection and its cache of prepared statements that are not in use.
struct Connection {
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view sql) const { return std::hash<std::string_view>()(sql); }
    };
    std::unique_ptr<sqlite3, CloseSqlite> handle;
    std::unordered_map<std::string, PreparedStatement, Hash, std::equal_to<>>
        idle;  // Destroyed before `handle`.
};

// Binary data, such as a hash or a salt.
struct Blob {
    std::string_view bytes;
};

// A prepared statement with its parameters; columns count from 0. step() reports a failed bind. Must not
// outlive its transaction.
class Statement {
public:
    static Result<Statement> prepare(Connection& connection, std::string_view sql);

    Statement(Statement&& other) noexcept = default;
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    void bind(bool value) { bind(static_cast<std::int64_t>(value)); }
    void bind(std::int64_t value);
    void bind(std::string_view value);
    void bind(const std::string& value) { bind(std::string_view(value)); }
    void bind(const char* value) { bind(std::string_view(value)); }
    void bind(Blob value);
    void bind_null();
    template <class T>
    void bind(const std::optional<T>& value) {
        value ? bind(*value) : bind_null();
    }
    void reset();  // Allows binding and stepping again.

    Result<bool> step();  // Returns true if a row is available.

    std::int64_t integer(int column) const;
    bool flag(int column) const { return integer(column) != 0; }
    std::string text(int column) const { return std::string(view(column)); }
    // Returns text or the bytes of a blob; empty for NULL. Valid until the next step.
    std::string_view view(int column) const;
    std::optional<std::int64_t> optional_integer(int column) const;
    std::optional<std::string> optional_text(int column) const;

private:
    Statement(Connection& connection, PreparedStatement statement)
        : connection_(&connection), statement_(std::move(statement)) {}

    Connection* connection_;
    PreparedStatement statement_;
    int bound_ = 0;
    int failure_ = 0;
};

class Store;

// A transaction, required for every read and write. Rolled back unless committed; when commit() returns, the
// changes are on disk.
class Transaction {
public:
    Transaction(Transaction&& other) noexcept
        : writer_(std::move(other.writer_)),
          reader_(std::move(other.reader_)),
          store_(other.store_),
          open_(std::exchange(other.open_, false)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    template <class... Parameters>
    Result<Statement> query(std::string_view sql, const Parameters&... parameters) {
        auto statement = TRY(Statement::prepare(connection(), sql));
        (statement.bind(parameters), ...);
        return statement;
    }
    // Executes a statement without result rows and returns the number of changed rows.
    template <class... Parameters>
    Result<std::int64_t> execute(std::string_view sql, const Parameters&... parameters) {
        auto statement = TRY(query(sql, parameters...));
        TRY(statement.step());
        return changes();
    }
    Result<> run_script(const std::string& sql);
    Result<> commit();

private:
    friend class Store;
    Transaction(Store& store, std::optional<Synchronized<Connection>::Access> writer,
                std::unique_ptr<Connection> reader)
        : writer_(std::move(writer)), reader_(std::move(reader)), store_(&store) {}
    Connection& connection() { return reader_ ? *reader_ : **writer_; }
    std::int64_t changes();

    std::optional<Synchronized<Connection>::Access> writer_;
    std::unique_ptr<Connection> reader_;
    Store* store_;
    bool open_ = true;
};

// The schema of a database file. The numbered migrations lead from an empty file to the current tables; new
// ones are only appended.
struct Schema {
    std::string_view contents;                // "users"; used in error messages.
    std::string_view file;                    // "users.sqlite"
    std::int64_t application_id = 0;          // PRAGMA application_id; identifies files of this program.
    std::span<const char* const> migrations;  // SQL scripts.
};

class Store {
public:
    // Creates the folder and the file if missing (readable by the owner only) and applies pending migrations.
    // Fault::invalid if the file was written by a newer version or belongs to another program.
    static Result<std::unique_ptr<Store>> open(const std::string& folder, const Schema& schema);

    Result<Transaction> read();
    Result<Transaction> write();

    const std::string& folder() const { return folder_; }

private:
    friend class Transaction;
    Store(Connection writer, std::string folder, std::string file)
        : writer_(std::move(writer)), folder_(std::move(folder)), file_(std::move(file)) {}
    void release_reader(std::unique_ptr<Connection> reader);

    Synchronized<Connection> writer_;
    Synchronized<std::vector<std::unique_ptr<Connection>>> readers_;  // Idle read connections.
    std::string folder_;
    std::string file_;
};

}  // namespace integreat::sqlite
