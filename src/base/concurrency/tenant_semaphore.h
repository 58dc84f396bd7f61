// SPDX-License-Identifier: Apache-2.0
// How much of one kind may go on at a time, counted for each tenant by itself: what begins takes a turn, and
// keeps it for as long as it goes on. Nobody waits for one: who gets none is refused.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/concurrency/synchronized.h"
#include "base/id.h"

namespace integreat {

// Given back when it goes.
class Turn {
public:
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn();

private:
    friend class Turns;
    using Taken = Guarded<std::map<TenantId, int>>;
    Turn(std::shared_ptr<Taken> taken, TenantId whose) : taken_(std::move(taken)), whose_(std::move(whose)) {}

    std::shared_ptr<Taken> taken_;  // Null if it was moved from.
    TenantId whose_;
};

class Turns {
public:
    // Nothing if the tenant has `most` already.
    std::optional<Turn> take(const TenantId& whose, int most);

private:
    std::shared_ptr<Turn::Taken> taken_ = std::make_shared<Turn::Taken>();
};

}  // namespace integreat
