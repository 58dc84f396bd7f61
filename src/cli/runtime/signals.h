// SPDX-License-Identifier: Apache-2.0
// The signals that control a server, received by the main thread with sigwait instead of a handler.
#pragma once

#include <csignal>

namespace integreat::cli {

enum class Signal { stop, reload };

class Signals {
public:
    // Blocks the signals. Call before any thread is started, since threads inherit the signal mask.
    Signals();
    // Restores the previous signal mask.
    ~Signals();
    Signals(const Signals&) = delete;

    // Waits for a signal. SIGINT, SIGTERM: stop; SIGHUP: reload.
    Signal wait();

    // Sends a SIGHUP to this process. Callable from any thread.
    static void request_reload();

private:
    sigset_t signals_;
    sigset_t previous_mask_;
};

// Tunes the process for serving: raises the limit of open files to the maximum, since each connection needs
// one, and configures malloc (mallopt(3)). There is one arena per core instead of eight, because memory freed
// in one arena is not available to the others, and large blocks are returned to the system when they are
// freed. Call before any thread is started.
void tune_process();

}  // namespace integreat::cli
