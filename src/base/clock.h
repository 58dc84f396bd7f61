// SPDX-License-Identifier: Apache-2.0
// The process meets time here and nowhere else (style R19): the real clock is made by platform/world.cpp,
// tests hand in a FixedClock.
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

// A clock that stands still until a test moves it.
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
