// SPDX-License-Identifier: Apache-2.0
#include "base/system_clock.h"

namespace integreat {

Time SystemClock::now() const {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

Monotonic SystemClock::monotonic() const {
    return std::chrono::steady_clock::now();
}

}  // namespace integreat
