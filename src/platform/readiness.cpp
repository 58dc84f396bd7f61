// SPDX-License-Identifier: Apache-2.0
#include "platform/readiness.h"

namespace integreat::platform {

namespace {

using namespace std::chrono_literals;

constexpr auto wanted_for = 30s;
constexpr auto fresh_for = 1s;
constexpr auto patience = 1s;

}  // namespace

DatabaseProbe::DatabaseProbe(postgres::Pool& pool, const Clock& clock)
    : pool_(pool), clock_(clock), wanted_until_(clock.monotonic() + wanted_for) {}

gateway::ReadyCheck DatabaseProbe::check() {
    auto now = clock_.monotonic();
    wanted_until_ = now + wanted_for;
    auto known = known_.lock();
    gateway::ReadyCheck check{.name = "database", .ready = known->ready, .state = known->state, .age = {}};
    if (known->asked != Monotonic::min()) {
        check.age = std::chrono::floor<std::chrono::seconds>(now - known->asked);
    }
    return check;
}

void DatabaseProbe::probe_due() {
    auto now = clock_.monotonic();
    if (now > wanted_until_.load()) return;
    if (auto asked = known_.lock()->asked; asked != Monotonic::min() && now - asked < fresh_for) return;
    auto answered = postgres::in_transaction(
        pool_, pool_.tenant(), now + patience,
        [](postgres::Transaction& transaction) -> Result<> {
            TRY(transaction.execute("SELECT 1"));
            return {};
        },
        1);
    auto known = known_.lock();
    known->ready = static_cast<bool>(answered);
    known->state = answered ? "connected" : answered.error().message;
    known->asked = now;
}

}  // namespace integreat::platform
