// SPDX-License-Identifier: Apache-2.0
// A thread that calls a function periodically, with a pause after each call, until destroyed:
//
//     PeriodicTask refresh(1s, [&] { keys.refresh_due(); });
//     PeriodicTask poll(100ms, [&] { api_keys.poll_due(); });
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <thread>

#include "base/concurrency/synchronized.h"

namespace integreat {

class PeriodicTask {
public:
    PeriodicTask(std::chrono::milliseconds pause, std::function<void()> task);
    // Waits for a call in progress.
    ~PeriodicTask();
    PeriodicTask(const PeriodicTask&) = delete;

private:
    void run(std::chrono::milliseconds pause);

    std::function<void()> task_;
    Synchronized<bool> stopping_{false};
    std::condition_variable wake_;
    std::thread thread_;
};

}  // namespace integreat
