// SPDX-License-Identifier: Apache-2.0
#include "base/concurrency/periodic_task.h"

#include <exception>

#include "base/log.h"

namespace integreat {

PeriodicTask::PeriodicTask(std::chrono::milliseconds pause, std::function<void()> task)
    : task_(std::move(task)), thread_([this, pause] { run(pause); }) {}

PeriodicTask::~PeriodicTask() {
    *stopping_.lock() = true;
    wake_.notify_all();
    thread_.join();
}

void PeriodicTask::run(std::chrono::milliseconds pause) {
    for (;;) {
        try {
            task_();
        } catch (const std::exception& exception) {  // Out of memory, say: the next call may succeed.
            log({.level = Level::error,
                 .message = "background task failed",
                 .fields = {{"cause", exception.what()}}});
        }
        auto stopping = stopping_.lock();
        if (wake_.wait_for(stopping.lock(), pause, [&] { return *stopping; })) return;
    }
}

}  // namespace integreat
