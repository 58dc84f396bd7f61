// SPDX-License-Identifier: Apache-2.0
#include "net/io/deadline_sweeper.h"

#include "base/assert.h"
#include "net/io/socket_stream.h"

namespace integreat::net {

Sweeper::Sweeper(asio::io_context& context, const Clock& clock, std::chrono::milliseconds tick)
    : context_(&context), clock_(&clock), tick_(tick), timer_(context.get_executor()) {}

Sweeper::~Sweeper() {
    ASSERT(first_ == nullptr);
}

void Sweeper::start(std::function<void()> at_each_tick) {
    at_each_tick_ = std::move(at_each_tick);
    wait();
}

void Sweeper::wait() {
    timer_.expires_after(tick_);
    timer_.async_wait([this](error_code error) {
        if (error || stopped_) return;
        sweep();
        at_each_tick_();
        wait();
    });
}

void Sweeper::close_all() {
    for (auto* stream = first_; stream; stream = stream->next_)
        stream->close();
}

// Cancelling only posts completions, so the list does not change under the loop. What is overdue is cancelled
// at each tick until its deadline moves, so an operation begun too late ends as well.
void Sweeper::sweep() {
    auto now = clock_->monotonic();
    for (auto* stream = first_; stream; stream = stream->next_) {
        if (stream->deadline_ > now) continue;
        stream->expired_ = true;
        stream->cancel();
    }
}

}  // namespace integreat::net
