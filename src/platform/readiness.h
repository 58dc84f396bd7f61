// SPDX-License-Identifier: Apache-2.0
// Probes the database in the background, so that /readyz responds immediately, and only while it is
// requested: a database that scales to zero may sleep.
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

    // Returns the last result, and keeps the probe running for 30 s.
    gateway::ReadinessCheck check();

    // Probes the database now if the last result is older than 5 s; blocks for at most a second. Returns
    // false, without a probe, if `may_block` is false.
    bool refresh(bool may_block);

    // Probes the database if that is due. To be called frequently from the background; blocks for at most a
    // second.
    void probe_due();

private:
    struct ProbeResult {
        bool ready = false;
        std::string state = "not checked yet";
        Monotonic probed_at = Monotonic::min();
    };

    void probe(Monotonic now);

    postgres::Pool& pool_;
    const Clock& clock_;
    Synchronized<ProbeResult> result_;
    std::atomic<Monotonic> active_until_;
};

}  // namespace integreat::platform
