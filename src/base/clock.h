// SPDX-License-Identifier: Apache-2.0
// The only source of time (style R19): main creates a SystemClock, tests pass a FixedClock.
#pragma once

#include <atomic>

#include "base/time.h"

namespace integreat {

class Clock {
public:
    virtual Time now() const = 0;
    virtual Monotonic monotonic() const = 0;

protected:
    ~Clock() = default;
};

// A clock that changes only when a test advances it.
class FixedClock final : public Clock {
public:
    explicit FixedClock(Time now = from_unix_seconds(1'795'000'000)) : now_(now) {}

    Time now() const override { return now_; }
    Monotonic monotonic() const override { return Monotonic(now_.load().time_since_epoch()); }
    void advance(std::chrono::microseconds by) { now_ = now_.load() + by; }

private:
    std::atomic<Time> now_;
};

}  // namespace integreat
