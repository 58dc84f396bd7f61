// SPDX-License-Identifier: Apache-2.0
// Statements that one I/O thread waits for without standing still: it begins them on connections that are
// free at this moment (Pool::begin_as), watches one descriptor for all of them (epoll(7); an epoll descriptor
// is itself readable when something in it is), and is told whose rows have come. Everything here happens on
// that thread; the pools are shared with all others.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "base/clock.h"
#include "postgres/driver/pool.h"

namespace integreat::postgres {

// What came of a statement in a lane.
struct Outcome {
    Result<Rows> rows;
    Refusal refusal;
    // Nothing was done, and another attempt, where waiting is allowed, is likely to succeed.
    bool should_run_again = false;
};

// Called once, by advance, expire or abandon; never by the call that began it.
using Told = std::function<void(Outcome)>;

class Lane {
public:
    Lane();
    ~Lane();  // Nobody is told any more: connections that are in use here are closed.
    Lane(const Lane&) = delete;

    int descriptor() const { return epoll_; }  // Readable when advance has something to do.
    void advance();
    void expire();   // What is overdue ends; to be called a few times a second.
    void abandon();  // Everything ends.
    std::size_t under_way() const { return under_way_.size(); }

private:
    friend class Pool;
    struct Entry {
        Pool* pool;
        std::unique_ptr<Connection> connection;
        Monotonic until;  // Of the machine's own steady clock.
        Told told;
        bool writing = false;  // The socket is watched for room, too.
    };

    // Takes the connection, on which a group was begun.
    void add(Entry entry);
    void watch(Entry& entry);
    void hear(int socket);
    void end(std::unordered_map<int, Entry>::iterator entry, Result<std::vector<Rows>> rows);

    int epoll_;
    std::unordered_map<int, Entry> under_way_;  // By socket.
    // Which connection a socket was when it was entered here: a number may come back as another's.
    std::unordered_map<int, std::uint64_t> entered_;
};

}  // namespace integreat::postgres
