// SPDX-License-Identifier: Apache-2.0
// A thread that calls a function again and again, with a pause between, until it goes:
//
//     Repeating refresh(1s, [&] { keys.refresh_due(); });
//     Repeating poll(100ms, [&] { api_keys.poll_due(); });
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <thread>

#include "base/concurrency/synchronized.h"

namespace integreat {

class Repeating {
public:
    Repeating(std::chrono::milliseconds pause, std::function<void()> work);
    // Waits for a call that is under way.
    ~Repeating();
    Repeating(const Repeating&) = delete;

private:
    void run(std::chrono::milliseconds pause);

    std::function<void()> work_;
    Guarded<bool> ending_{false};
    std::condition_variable wake_;
    std::thread thread_;
};

}  // namespace integreat
