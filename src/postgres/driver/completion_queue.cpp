// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/completion_queue.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <sys/epoll.h>
#include <unistd.h>

#include "postgres/driver/connection.h"

namespace integreat::postgres {

using std::chrono::steady_clock;

Lane::Lane() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

Lane::~Lane() {
    for (auto& [socket, entry] : under_way_)
        entry.pool->give_up(std::move(entry.connection));
    ::close(epoll_);
}

// A connection stays entered when it goes back to its pool: most come back. One that speaks up without being
// in use here (it is another thread's now, or its server has closed it) is taken out by hear(), and a closed
// one by the kernel.
void Lane::watch(Entry& entry) {
    int socket = entry.connection->socket();
    bool writing = entry.connection->unsent();
    auto& serial = entered_[socket];
    bool entered = serial == entry.connection->serial;
    if (entered && writing == entry.writing) return;
    epoll_event event{.events = EPOLLIN, .data = {.fd = socket}};
    if (writing) event.events |= EPOLLOUT;
    int done = epoll_ctl(epoll_, entered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event);
    // It was entered under another number of the kernel's, or taken out with a descriptor that is gone.
    if (done != 0 && errno == EEXIST) done = epoll_ctl(epoll_, EPOLL_CTL_MOD, socket, &event);
    if (done != 0) throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    serial = entry.connection->serial;
    entry.writing = writing;
}

void Lane::add(Entry entry) {
    int socket = entry.connection->socket();
    auto [added, is_new] = under_way_.emplace(socket, std::move(entry));
    ASSERT(is_new);
    watch(added->second);
}

void Lane::advance() {
    std::array<epoll_event, 64> events;
    int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i)
        hear(events[static_cast<std::size_t>(i)].data.fd);
}

void Lane::hear(int socket) {
    auto found = under_way_.find(socket);
    if (found == under_way_.end()) {
        entered_.erase(socket);
        epoll_event ignored{};
        epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, &ignored);  // Fails if it is closed already.
        return;
    }
    auto answer = found->second.connection->proceed();
    if (answer) return end(found, *std::move(answer));
    watch(found->second);
}

// Whoever is told may begin the next at once: the entry is gone by then.
void Lane::end(std::unordered_map<int, Entry>::iterator found, Result<std::vector<Rows>> rows) {
    auto entry = std::move(found->second);
    under_way_.erase(found);
    // The kernel would go on to report room that nobody needs.
    if (entry.writing) entered_.erase(entry.connection->socket());
    auto outcome = entry.pool->conclude(std::move(entry.connection), std::move(rows));
    entry.told(std::move(outcome));
}

void Lane::expire() {
    auto now = steady_clock::now();
    for (;;) {
        auto late = std::find_if(under_way_.begin(), under_way_.end(),
                                 [&](const auto& one) { return one.second.until <= now; });
        if (late == under_way_.end()) return;
        auto error = late->second.connection->late();
        end(late, std::move(error));
    }
}

void Lane::abandon() {
    while (!under_way_.empty()) {
        auto first = under_way_.begin();
        auto error = first->second.connection->late();
        end(first, std::move(error));
    }
}

}  // namespace integreat::postgres
