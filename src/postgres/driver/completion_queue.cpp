// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/completion_queue.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <sys/epoll.h>

#include "postgres/driver/connection.h"

namespace integreat::postgres {

using std::chrono::steady_clock;

CompletionQueue::CompletionQueue() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

CompletionQueue::~CompletionQueue() {
    for (auto& [socket, query] : queries_)
        query.pool->close(std::move(query.connection));
}

// Registers the socket. A connection stays registered after its query, since most are used again. When one
// becomes ready without being in use here (another thread uses it, or its server has closed it), on_ready()
// removes it; the kernel removes closed ones.
void CompletionQueue::watch(Query& query) {
    int socket = query.connection->socket();
    bool writing = query.connection->wants_write();
    auto& serial = registered_[socket];
    bool registered = serial == query.connection->serial;
    if (registered && writing == query.writing) return;
    epoll_event event{.events = EPOLLIN, .data = {.fd = socket}};
    if (writing) event.events |= EPOLLOUT;
    int status = epoll_ctl(epoll_.get(), registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event);
    // The socket is still registered for a connection that has since been replaced.
    if (status != 0 && errno == EEXIST) status = epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket, &event);
    if (status != 0) throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    serial = query.connection->serial;
    query.writing = writing;
}

void CompletionQueue::add(Query query) {
    int socket = query.connection->socket();
    auto [added, is_new] = queries_.emplace(socket, std::move(query));
    ASSERT(is_new);
    watch(added->second);
}

void CompletionQueue::advance() {
    std::array<epoll_event, 64> events;
    int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i)
        on_ready(events[static_cast<std::size_t>(i)].data.fd);
}

void CompletionQueue::on_ready(int socket) {
    auto found = queries_.find(socket);
    if (found == queries_.end()) {
        registered_.erase(socket);
        epoll_event ignored{};
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket, &ignored);  // Fails if the socket is closed already.
        return;
    }
    if (auto rows = found->second.connection->poll()) return finish(found, *std::move(rows));
    watch(found->second);
}

// Removes the query before it calls the handler, which may start the next one.
void CompletionQueue::finish(std::unordered_map<int, Query>::iterator found,
                             Result<std::vector<ResultSet>> rows) {
    auto query = std::move(found->second);
    queries_.erase(found);
    // Registers anew for the next query, without EPOLLOUT.
    if (query.writing) registered_.erase(query.connection->socket());
    auto result = query.pool->complete(std::move(query.connection), std::move(rows));
    query.handler(std::move(result));
}

void CompletionQueue::expire() {
    auto now = steady_clock::now();
    for (;;) {
        auto expired = std::find_if(queries_.begin(), queries_.end(),
                                    [&](const auto& entry) { return entry.second.until <= now; });
        if (expired == queries_.end()) return;
        auto error = expired->second.connection->abort();
        finish(expired, std::move(error));
    }
}

void CompletionQueue::cancel_all() {
    while (!queries_.empty()) {
        auto first = queries_.begin();
        auto error = first->second.connection->abort();
        finish(first, std::move(error));
    }
}

}  // namespace integreat::postgres
