// SPDX-License-Identifier: Apache-2.0
#include "net/io/deadline_sweeper.h"

#include "base/assert.h"
#include "net/io/socket_stream.h"

namespace integreat::net {

DeadlineSweeper::DeadlineSweeper(asio::io_context& context, const Clock& clock,
                                 std::chrono::milliseconds tick)
    : context_(&context), clock_(&clock), tick_(tick), timer_(context.get_executor()) {}

DeadlineSweeper::~DeadlineSweeper() {
    ASSERT(first_ == nullptr);
}

void DeadlineSweeper::start(std::function<void()> on_tick) {
    on_tick_ = std::move(on_tick);
    schedule();
}

void DeadlineSweeper::schedule() {
    timer_.expires_after(tick_);
    timer_.async_wait([this](error_code error) {
        if (error || stopped_) return;
        sweep();
        on_tick_();
        schedule();
    });
}

void DeadlineSweeper::close_all() {
    for (auto* stream = first_; stream; stream = stream->next_)
        stream->close();
}

// Cancelling only posts completions, so the list does not change during the loop. An overdue stream is
// cancelled at each tick until its deadline moves, so an operation started too late ends as well.
void DeadlineSweeper::sweep() {
    auto now = clock_->monotonic();
    for (auto* stream = first_; stream; stream = stream->next_) {
        if (stream->deadline_ > now) continue;
        stream->expired_ = true;
        stream->cancel();
    }
}

}  // namespace integreat::net
