// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/signals.h"

#include <algorithm>
#include <initializer_list>
#include <thread>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/assert.h"

namespace integreat::cli {

Signals::Signals() {
    sigemptyset(&signals_);
    for (int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&signals_, signal);
    ASSERT(pthread_sigmask(SIG_BLOCK, &signals_, &previous_mask_) == 0);
}

Signals::~Signals() {
    pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

Signal Signals::wait() {
    int signal = 0;
    while (sigwait(&signals_, &signal) != 0) {
    }
    return signal == SIGHUP ? Signal::reload : Signal::stop;
}

void Signals::request_reload() {
    ::kill(::getpid(), SIGHUP);
}

void tune_process() {
    constexpr int mmap_threshold = 1024 * 1024;
    ::mallopt(M_ARENA_MAX, std::max(2, static_cast<int>(std::thread::hardware_concurrency())));
    ::mallopt(M_MMAP_THRESHOLD, mmap_threshold);
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace integreat::cli
