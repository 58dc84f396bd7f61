// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/access_log.h"

namespace integreat::gateway {

namespace {

constexpr std::chrono::milliseconds interval{100};

}  // namespace

AccessLog::AccessLog(Sink sink, metrics::Counter& lost, std::size_t shard_bytes_max)
    : sink_(std::move(sink)), lost_(lost), shard_bytes_max_(shard_bytes_max), writer_([this] { run(); }) {}

AccessLog::~AccessLog() {
    signal_.lock()->stopping = true;
    signalled_.notify_one();
    writer_.join();
}

void AccessLog::wake() {
    signal_.lock()->half_full = true;
    signalled_.notify_one();
}

void AccessLog::run() {
    for (bool stopping = false; !stopping;) {
        {
            auto signal = signal_.lock();
            signalled_.wait_for(signal.lock(), interval,
                                [&] { return signal->stopping || signal->half_full; });
            signal->half_full = false;
            stopping = signal->stopping;
        }
        drain();
    }
}

void AccessLog::drain() {
    for (auto& shard : shards_) {
        draining_.clear();
        draining_.swap(*shard.buffer.lock());  // The shard gets the memory of the previous drain.
        if (!draining_.empty()) sink_(draining_);
    }
}

}  // namespace integreat::gateway
