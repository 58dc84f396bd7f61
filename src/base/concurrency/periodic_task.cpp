// SPDX-License-Identifier: Apache-2.0
#include "base/concurrency/periodic_task.h"

#include <exception>

#include "base/log.h"

namespace integreat {

Repeating::Repeating(std::chrono::milliseconds pause, std::function<void()> work)
    : work_(std::move(work)), thread_([this, pause] { run(pause); }) {}

Repeating::~Repeating() {
    *ending_.lock() = true;
    wake_.notify_all();
    thread_.join();
}

void Repeating::run(std::chrono::milliseconds pause) {
    for (;;) {
        try {
            work_();
        } catch (const std::exception& exception) {  // Out of memory: the next time may go well.
            log({.level = Level::error,
                 .message = "background work failed",
                 .fields = {{"cause", exception.what()}}});
        }
        auto ending = ending_.lock();
        if (wake_.wait_for(ending.lock(), pause, [&] { return *ending; })) return;
    }
}

}  // namespace integreat
