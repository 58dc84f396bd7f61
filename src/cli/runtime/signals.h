// SPDX-License-Identifier: Apache-2.0
// The signals a server lives by, taken by the main thread one at a time instead of interrupting anybody.
#pragma once

#include <csignal>

namespace integreat::cli {

enum class Told { stop, reload };

class Signals {
public:
    // Before any thread is started: they inherit that these signals are blocked.
    Signals();
    // Restores what was before.
    ~Signals();
    Signals(const Signals&) = delete;

    // SIGINT, SIGTERM: stop; SIGHUP: reload.
    Told wait();

    // As if a SIGHUP had come. From any thread.
    static void ask_for_reload();

private:
    sigset_t ours_;
    sigset_t before_;
};

// As many open files as the system grants: one per connection is needed. Of memory (mallopt(3)) an arena
// per core instead of eight, since what one thread frees is kept from those of another, and large pieces go
// back to the system as soon as they are free. Before any thread is started.
void prepare_to_serve();

}  // namespace integreat::cli
