// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <initializer_list>

#include <sys/resource.h>
#include <unistd.h>

#include "base/assert.h"

namespace integreat::cli {

Signals::Signals() {
    sigemptyset(&ours_);
    for (int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&ours_, signal);
    ASSERT(pthread_sigmask(SIG_BLOCK, &ours_, &before_) == 0);
    std::signal(SIGPIPE, SIG_IGN);  // A peer that went away is an error of the write, not of the process.
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

void raise_open_files() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace integreat::cli
