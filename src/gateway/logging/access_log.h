// SPDX-License-Identifier: Apache-2.0
// The access log: many threads append lines, one thread writes them. A thread appends to the buffer of its
// shard; the writer drains the buffers ten times per second, or when one is half full. If the sink is slower
// than the traffic, lines are dropped and counted: requests never wait for a disk.
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
    // Writes one or more complete lines; may block.
    using Sink = std::function<void(std::string_view lines)>;

    AccessLog(Sink sink, metrics::Counter& lost, std::size_t shard_bytes_max = 1024 * 1024);
    ~AccessLog();  // Flushes the buffers.
    AccessLog(const AccessLog&) = delete;

    // Adds a line. `write` appends its text, without the newline, to a string.
    template <class Write>
    void line(Write&& write) {
        auto buffer = shards_[thread_shard()].buffer.lock();
        auto before = buffer->size();
        if (before >= shard_bytes_max_) {
            lost_.add();
            return;
        }
        write(*buffer);
        *buffer += '\n';
        if (before < shard_bytes_max_ / 2 && buffer->size() >= shard_bytes_max_ / 2) wake();
    }

private:
    struct alignas(64) Shard {
        Synchronized<std::string> buffer;
    };

    void wake();
    void run();
    void drain();

    Sink sink_;
    metrics::Counter& lost_;
    std::size_t shard_bytes_max_;
    std::array<Shard, thread_shards> shards_;
    std::string draining_;  // Used by the writer thread only.
    struct Signal {
        bool stopping = false;
        bool half_full = false;
    };
    Synchronized<Signal> signal_;
    std::condition_variable signalled_;
    std::thread writer_;
};

}  // namespace integreat::gateway
