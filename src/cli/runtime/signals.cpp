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
    sigemptyset(&ours_);
    for (int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&ours_, signal);
    ASSERT(pthread_sigmask(SIG_BLOCK, &ours_, &before_) == 0);
}

Signals::~Signals() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

Told Signals::wait() {
    int signal = 0;
    while (sigwait(&ours_, &signal) != 0) {
    }
    return signal == SIGHUP ? Told::reload : Told::stop;
}

void Signals::ask_for_reload() {
    ::kill(::getpid(), SIGHUP);
}

void prepare_to_serve() {
    constexpr int mapped_alone = 1024 * 1024;
    ::mallopt(M_ARENA_MAX, std::max(2, static_cast<int>(std::thread::hardware_concurrency())));
    ::mallopt(M_MMAP_THRESHOLD, mapped_alone);
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace integreat::cli
