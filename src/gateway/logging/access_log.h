// SPDX-License-Identifier: Apache-2.0
// Lines for the access log, from many threads to one writer. A thread appends to the buffer of its slot and
// goes on; the writer empties the buffers ten times a second or when one is half full. If the sink is slower
// than the traffic, lines are lost and counted: requests never wait for a disk.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/concurrency/synchronized.h"
#include "base/concurrency/thread_shard.h"
#include "metrics/registry.h"

namespace integreat::gateway {

class AccessLog {
public:
    // Takes whole lines, several at once; may block.
    using Sink = std::function<void(std::string_view lines)>;

    AccessLog(Sink sink, metrics::Counter& lost, std::size_t slot_bytes_max = 1024 * 1024);
    ~AccessLog();  // Writes what is buffered.
    AccessLog(const AccessLog&) = delete;

    // `write` appends one line, without its end, to the string it is given.
    template <class Write>
    void line(Write&& write) {
        auto buffer = slots_[thread_slot()].buffer.lock();
        auto before = buffer->size();
        if (before >= slot_bytes_max_) {
            lost_.add();
            return;
        }
        write(*buffer);
        *buffer += '\n';
        if (before < slot_bytes_max_ / 2 && buffer->size() >= slot_bytes_max_ / 2) wake();
    }

private:
    struct alignas(64) Slot {
        Guarded<std::string> buffer;
    };

    void wake();
    void run();
    void drain();

    Sink sink_;
    metrics::Counter& lost_;
    std::size_t slot_bytes_max_;
    std::array<Slot, thread_slots> slots_;
    std::string draining_;  // The writer's own.
    struct Signal {
        bool stopping = false;
        bool filling = false;
    };
    Guarded<Signal> signal_;
    std::condition_variable signalled_;
    std::thread writer_;
};

}  // namespace integreat::gateway
