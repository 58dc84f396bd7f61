// SPDX-License-Identifier: Apache-2.0
// Is the database there? Asked from the background, so that /readyz answers at once, and only while somebody
// wants to know: a database that scales to zero may sleep.
#pragma once

#include <atomic>
#include <string>

#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "gateway/admin/health_routes.h"
#include "postgres/driver/pool.h"

namespace integreat::platform {

class DatabaseProbe {
public:
    DatabaseProbe(postgres::Pool& pool, const Clock& clock);

    // What is known now. Whoever asks causes fresh answers for the next half minute.
    gateway::ReadyCheck check();

    // Asks the database if that is due. Call it often from the background; it blocks for a second at most.
    void probe_due();

private:
    struct Known {
        bool ready = false;
        std::string state = "not asked yet";
        Monotonic asked = Monotonic::min();
    };

    postgres::Pool& pool_;
    const Clock& clock_;
    Guarded<Known> known_;
    std::atomic<Monotonic> wanted_until_;
};

}  // namespace integreat::platform
