// SPDX-License-Identifier: Apache-2.0
// The queries in flight on one I/O thread. Pool::query_async starts them on idle connections; one epoll
// descriptor covers their sockets (epoll(7); an epoll descriptor is itself readable when one of its entries
// is ready), and completion handlers run on that thread. Not thread-safe; the pools are shared between
// threads.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "postgres/driver/pool.h"

namespace integreat::postgres {

class CompletionQueue {
public:
    CompletionQueue();
    ~CompletionQueue();  // Closes the connections in use, without calling handlers.
    CompletionQueue(const CompletionQueue&) = delete;

    int descriptor() const { return epoll_.get(); }  // Readable when advance() has work.
    // Reads what has arrived and calls the handlers of complete queries.
    void advance();
    // Ends queries that are past their deadline; to be called a few times per second.
    void expire();
    // Ends all queries.
    void cancel_all();
    std::size_t in_flight() const { return queries_.size(); }

private:
    friend class Pool;
    struct Query {
        Pool* pool;
        std::unique_ptr<Connection> connection;
        Monotonic until;  // On the steady clock of this machine.
        CompletionHandler handler;
        bool writing = false;  // EPOLLOUT is registered, too.
    };

    // Takes a connection with a started pipeline.
    void add(Query query);
    void watch(Query& query);
    void on_ready(int socket);
    void finish(std::unordered_map<int, Query>::iterator query, Result<std::vector<ResultSet>> rows);

    UniqueFd epoll_;
    std::unordered_map<int, Query> queries_;  // By socket.
    // Serial number of the connection registered for a socket: descriptor numbers are reused.
    std::unordered_map<int, std::uint64_t> registered_;
};

}  // namespace integreat::postgres
