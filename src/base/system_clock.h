// SPDX-License-Identifier: Apache-2.0
// The clock of the operating system. main creates one; everything else takes a Clock as an argument.
#pragma once

#include "base/clock.h"

namespace integreat {

class SystemClock final : public Clock {
public:
    Time now() const override;
    Monotonic monotonic() const override;
};

}  // namespace integreat
