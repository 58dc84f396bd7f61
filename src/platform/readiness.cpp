// SPDX-License-Identifier: Apache-2.0
#include "platform/readiness.h"

namespace integreat::platform {

namespace {

using namespace std::chrono_literals;

constexpr auto active_for = 30s;
constexpr auto probe_interval = 1s;
constexpr auto probe_timeout = 1s;
constexpr auto fresh_for = 5s;

}  // namespace

DatabaseProbe::DatabaseProbe(postgres::Pool& pool, const Clock& clock)
    : pool_(pool), clock_(clock), active_until_(clock.monotonic() + active_for) {}

gateway::ReadinessCheck DatabaseProbe::check() {
    auto now = clock_.monotonic();
    active_until_ = now + active_for;
    auto result = result_.lock();
    gateway::ReadinessCheck check{
        .name = "database", .ready = result->ready, .state = result->state, .age = {}};
    if (result->probed_at != Monotonic::min()) {
        check.age = std::chrono::floor<std::chrono::seconds>(now - result->probed_at);
    }
    return check;
}

void DatabaseProbe::probe_due() {
    auto now = clock_.monotonic();
    if (now > active_until_.load()) return;
    if (auto probed_at = result_.lock()->probed_at;
        probed_at != Monotonic::min() && now - probed_at < probe_interval)
        return;
    probe(now);
}

bool DatabaseProbe::refresh(bool may_block) {
    auto now = clock_.monotonic();
    auto probed_at = result_.lock()->probed_at;
    if (probed_at != Monotonic::min() && now - probed_at <= fresh_for) return true;
    if (may_block) probe(now);
    return may_block;
}

void DatabaseProbe::probe(Monotonic now) {
    auto connected = postgres::run_transaction(
        pool_, pool_.tenant(), now + probe_timeout,
        [](postgres::Transaction& transaction) -> Result<> {
            TRY(transaction.execute("SELECT 1"));
            return {};
        },
        1);
    auto result = result_.lock();
    result->ready = static_cast<bool>(connected);
    result->state = connected ? "connected" : connected.error().message;
    result->probed_at = now;
}

}  // namespace integreat::platform
