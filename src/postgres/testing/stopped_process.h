// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>
#include <sys/types.h>

namespace integreat::postgres::testing {

// Stops a process (SIGSTOP) until destruction, like a server that hangs.
struct StoppedProcess {
    explicit StoppedProcess(pid_t chosen) : pid(chosen) { kill(pid, SIGSTOP); }
    ~StoppedProcess() { kill(pid, SIGCONT); }
    pid_t pid;
};

}  // namespace integreat::postgres::testing
