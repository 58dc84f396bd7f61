// SPDX-License-Identifier: Apache-2.0
// One SQLite file (https://www.sqlite.org/wal.html): WAL, synchronous=FULL, so that what was committed is
// there after kill -9 or a power cut. One connection behind one lock; another process (the command line) may
// write to the same file at the same time and is waited for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace integreat::firebase {

struct CloseSqlite {
    void operator()(sqlite3* connection) const;
};
struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const;
};
using Connection = std::unique_ptr<sqlite3, CloseSqlite>;

// Bytes that are not text: a hash, a salt.
struct Blob {
    std::string_view bytes;
};

// A prepared statement with its parameters; columns count from 0. The first failure of a bind is kept and
// reported by step.
class Statement {
public:
    static Result<Statement> prepare(sqlite3* connection, std::string_view sql);

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

    Result<bool> step();  // True: a row is there.

    std::int64_t integer(int column) const;
    bool flag(int column) const { return integer(column) != 0; }
    std::string text(int column) const;  // Bytes of a blob, too; empty for NULL.
    std::optional<std::int64_t> maybe_integer(int column) const;
    std::optional<std::string> maybe_text(int column) const;

private:
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

    std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
    int bound_ = 0;
    int failure_ = 0;
};

class Store;

// Everything read and written goes through one. What is not committed is rolled back; nothing is answered
// before commit() has returned, and then it is on the disk.
class Transaction {
public:
    Transaction(Transaction&& other) noexcept
        : access_(std::move(other.access_)), open_(std::exchange(other.open_, false)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    template <class... Parameters>
    Result<Statement> query(std::string_view sql, const Parameters&... parameters) {
        auto statement = TRY(Statement::prepare(access_->get(), sql));
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
    explicit Transaction(Guarded<Connection>::Access access) : access_(std::move(access)) {}
    std::int64_t changes() const;

    Guarded<Connection>::Access access_;
    bool open_ = true;
};

class Store {
public:
    // Creates folder and file (readable by their owner only) if need be and brings the schema up to date.
    // Fault::invalid if the file was written by a newer version or is not ours.
    static Result<std::unique_ptr<Store>> open(const std::string& folder);

    Result<Transaction> read() { return begin("BEGIN"); }
    Result<Transaction> write() { return begin("BEGIN IMMEDIATE"); }

    const std::string& folder() const { return folder_; }

private:
    Store(Connection connection, std::string folder)
        : connection_(std::move(connection)), folder_(std::move(folder)) {}
    Result<Transaction> begin(const char* sql);

    Guarded<Connection> connection_;
    std::string folder_;
};

// Defined in schema.cpp: the numbered steps from an empty file to the present tables.
Result<> migrate(Transaction& transaction);

}  // namespace integreat::firebase
