// SPDX-License-Identifier: Apache-2.0
// One SQLite file (https://www.sqlite.org/wal.html): WAL, synchronous=FULL, so that what was committed is
// there after kill -9 or a power cut. One connection writes, behind one lock; readers have connections of
// their own and neither wait for the writer nor see what it has not committed. Another process (the command
// line) may write to the same file at the same time and is waited for.
// Prepared statements are kept with their connection and used again.
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

// A connection and the statements that were prepared on it and are not in use.
struct Connection {
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view sql) const { return std::hash<std::string_view>()(sql); }
    };
    std::unique_ptr<sqlite3, CloseSqlite> handle;
    std::unordered_map<std::string, PreparedStatement, Hash, std::equal_to<>> idle;  // After `handle`.
};

// Bytes that are not text: a hash, a salt.
struct Blob {
    std::string_view bytes;
};

// A prepared statement with its parameters; columns count from 0. The first failure of a bind is kept and
// reported by step. Must not outlive its transaction.
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
    void reset();  // To bind and step again.

    Result<bool> step();  // True: a row is there.

    std::int64_t integer(int column) const;
    bool flag(int column) const { return integer(column) != 0; }
    std::string text(int column) const { return std::string(view(column)); }
    // Bytes of a blob, too; empty for NULL. Valid until the next step.
    std::string_view view(int column) const;
    std::optional<std::int64_t> maybe_integer(int column) const;
    std::optional<std::string> maybe_text(int column) const;

private:
    Statement(Connection& home, PreparedStatement statement)
        : home_(&home), statement_(std::move(statement)) {}

    Connection* home_;
    PreparedStatement statement_;
    int bound_ = 0;
    int failure_ = 0;
};

class Store;

// Everything read and written goes through one. What is not committed is rolled back; nothing is answered
// before commit() has returned, and then it is on the disk.
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
    // For a statement that gives no rows; how many it changed.
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
    Transaction(Store& store, std::optional<Guarded<Connection>::Access> writer,
                std::unique_ptr<Connection> reader)
        : writer_(std::move(writer)), reader_(std::move(reader)), store_(&store) {}
    Connection& connection() { return reader_ ? *reader_ : **writer_; }
    std::int64_t changes();

    std::optional<Guarded<Connection>::Access> writer_;
    std::unique_ptr<Connection> reader_;
    Store* store_;
    bool open_ = true;
};

// What a file holds: the numbered steps from an empty file to the present tables are only ever added to.
struct Layout {
    std::string_view contents;           // "users": for sentences.
    std::string_view file;               // "users.sqlite"
    std::int64_t application_id = 0;     // In the file's header: whose file it is.
    std::span<const char* const> steps;  // SQL scripts.
};

class Store {
public:
    // Creates folder and file (readable by their owner only) if need be and brings the schema up to date.
    // Fault::invalid if the file was written by a newer version or is not ours.
    static Result<std::unique_ptr<Store>> open(const std::string& folder, const Layout& layout);

    Result<Transaction> read();
    Result<Transaction> write();

    const std::string& folder() const { return folder_; }

private:
    friend class Transaction;
    Store(Connection writer, std::string folder, std::string file)
        : writer_(std::move(writer)), folder_(std::move(folder)), file_(std::move(file)) {}
    void give_back(std::unique_ptr<Connection> reader);

    Guarded<Connection> writer_;
    Guarded<std::vector<std::unique_ptr<Connection>>> readers_;  // Those nobody uses now.
    std::string folder_;
    std::string file_;
};

}  // namespace integreat::sqlite
